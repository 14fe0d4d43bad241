import json
import pickle

import numpy as np
import pytest
from PIL import Image

from tests.datasets.hand_made import write_image
from tests.datasets.parser_miniatures import coco_person, outlined, rectangle, uncompressed
from tfreid.datasets import read_dataset, rows_of
from tfreid.datasets.check import file_problems
from tfreid.datasets.parts import Box
from tfreid.errors import DataError, MissingPathError


def rows_by_number(root, name="coco_person"):
    return {int(row.key.rpartition("_")[2]): row for row in rows_of(name, root)}


def mask_of(row):
    return row.mask_part.pixels(row.mask_path)


def change(folder, **changes):
    """Puts one person with changed fields into the annotations of the training split."""
    path = folder / "annotations/instances_train2017.json"
    content = json.loads(path.read_text())
    content["annotations"] = [outlined(1, [[0, 0, 80, 0, 80, 80]], (0, 0, 80, 80)) | changes]
    path.write_text(json.dumps(content))


def test_every_person_is_a_crop_with_a_mask(tmp_path):
    folder = coco_person(tmp_path)
    reading = read_dataset("coco_person", tmp_path)
    assert [(row.key, row.split) for row in reading.rows] == [
        ("coco_person/train2017/000000000009_1", "train"),
        ("coco_person/train2017/000000000009_2", "train"),
        ("coco_person/val2017/000000000009_6", "val"),
        ("coco_person/val2017/000000000009_7", "val"),
    ]
    row = reading.rows[1]
    assert row.image_path == str(folder / "train2017/000000000009.jpg")
    assert row.mask_path == str(folder / "annotations/instances_train2017.json")
    assert row.image_part == Box(left=60, top=30, width=40, height=90)
    photo = np.asarray(Image.open(row.image_path))
    np.testing.assert_array_equal(row.image_part.pixels(row.image_path), photo[30:120, 60:100])
    assert reading.excluded == {"crowds under one outline": 1, "lower than 64 px": 1}
    assert file_problems(reading.rows, 2) == []


def test_photos_without_persons_are_counted(tmp_path):
    folder = coco_person(tmp_path)
    write_image(folder / "val2017/000000000999.jpg")
    excluded = read_dataset("coco_person", tmp_path).excluded
    assert excluded["photos without any person that is kept"] == 1


def test_polygons_and_both_kinds_of_run_lengths_become_masks(tmp_path):
    rows = rows_by_number(coco_person(tmp_path))
    assert mask_of(rows[1]).dtype == np.uint8
    np.testing.assert_array_equal(mask_of(rows[1]), np.ones((80, 80)))
    # The outline begins half a pixel right of the box's whole pixels.
    assert mask_of(rows[2]).shape == (90, 40)
    np.testing.assert_array_equal(mask_of(rows[2])[:, 1:], np.ones((90, 39)))
    wanted = rectangle(slice(20, 100), slice(30, 50))[20:100, 30:50]
    np.testing.assert_array_equal(mask_of(rows[6]), wanted)
    np.testing.assert_array_equal(mask_of(rows[7]), np.ones((70, 40)))


def test_mask_holds_no_more_than_the_person(tmp_path):
    folder = coco_person(tmp_path)
    change(folder, segmentation=[[0, 0, 80, 0, 80, 80]])
    share = mask_of(rows_by_number(folder)[1]).mean()
    assert share == pytest.approx(0.5, abs=0.02)


def test_parts_travel_to_workers(tmp_path):
    row = rows_by_number(coco_person(tmp_path))[6]
    assert pickle.loads(pickle.dumps(row)) == row
    assert len(pickle.dumps(row)) < 1000


@pytest.mark.parametrize(("choice", "numbers"), [("min32px", {1, 2, 3, 6, 7}), ("min128px", set())])
def test_the_least_height_can_be_chosen(choice, numbers, tmp_path):
    assert set(rows_by_number(coco_person(tmp_path), f"coco_person:{choice}")) == numbers


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"segmentation": []}, "annotation 1 has no outline"),
        ({"segmentation": [["a"] * 6]}, "annotation 1 has no outline"),
        ({"segmentation": None}, "annotation 1 has no outline"),
        (
            {"segmentation": {"size": [120, 100], "counts": "~~~~"}},
            "annotation 1 is of another size",
        ),
        ({"segmentation": {"size": [5, 5], "counts": [25]}}, "annotation 1 is of another size"),
        ({"segmentation": {"size": [120, 100], "counts": [9]}}, "annotation 1 is of another size"),
        ({"segmentation": {"size": [120, 100], "counts": "9"}}, "annotation 1 is of another size"),
        ({"image_id": 77}, r"KeyError: 77"),
        ({"bbox": [1, 2]}, "IndexError"),
    ],
)
def test_what_is_no_annotation_is_named(changes, text, tmp_path):
    folder = coco_person(tmp_path)
    change(folder, **changes)
    with pytest.raises(DataError, match=text) as error:
        rows_of("coco_person", folder)
    assert "instances_train2017.json" in str(error.value)


def test_refuses_damaged_files_and_other_folders(tmp_path):
    folder = coco_person(tmp_path)
    path = folder / "annotations/instances_val2017.json"
    for text in (path.read_text()[:-10], "[]", '{"images": 3}', ""):
        path.write_text(text)
        with pytest.raises(DataError, match=r"instances_val2017\.json does not hold"):
            rows_of("coco_person", folder)
    path.unlink()
    with pytest.raises(MissingPathError, match=r"val2017/000000000139\.jpg"):
        rows_of("coco_person", folder)


def test_uncompressed_runs_of_the_miniature_are_column_by_column():
    code = uncompressed(slice(0, 120), slice(0, 1))
    assert code["counts"] == [0, 120, 120 * 99]
