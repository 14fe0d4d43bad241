"""Partial-REID, Partial-iLIDS and Occluded-REID."""

import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.occluded_miniatures import occluded_reid, partial_ilids, partial_reid
from tfreid.datasets import NO_CAMERA_ID, Row, dataset_named, read_dataset, rows_of
from tfreid.datasets.check import count_splits, differences, file_problems
from tfreid.errors import DataError, MissingPathError


def test_parts_of_persons_ask_where_chosen(tmp_path):
    folder = partial_reid(tmp_path)
    reading = read_dataset("partial_reid:partial", tmp_path)
    assert reading.rows[0] == Row(
        str(folder / "partial_body_images/001_001.jpg"),
        person_id=1,
        camera_id=NO_CAMERA_ID,
        split="query",
        key="partial_reid/partial_body_images/001_001",
    )
    assert [row.split for row in reading.rows] == ["query"] * 4 + ["gallery"] * 4
    assert [row.person_id for row in reading.rows] == [1, 1, 2, 2] * 2
    assert reading.protocol == "no_camera"
    assert reading.excluded == {"in occluded_body_images/, for another choice of queries": 1}


def test_occluded_persons_ask_as_in_fpr(tmp_path):
    """FPR, 4.2: the probes are the images of occluded bodies."""
    reading = read_dataset("partial_reid", partial_reid(tmp_path))
    assert reading.rows == read_dataset("partial_reid:occluded", tmp_path).rows
    queries = [row.key for row in reading.rows if row.split == "query"]
    assert queries == ["partial_reid/occluded_body_images/001_001"]
    assert reading.excluded == {"in partial_body_images/, for another choice of queries": 4}


def test_copies_without_occluded_persons_are_whole(tmp_path):
    write_image(tmp_path / "partial_body_images/001_001.jpg")
    write_image(tmp_path / "whole_body_images/001_001.jpg")
    assert read_dataset("partial_reid:partial", tmp_path).excluded == {}
    with pytest.raises(
        MissingPathError,
        match=r"(?s)occluded_body_images/001_001\.jpg.*This copy has the queries of partial_reid",
    ):
        read_dataset("partial_reid", tmp_path)


@pytest.mark.parametrize("names", [("Probe", "Gallery"), ("query", "gallery")])
def test_both_layouts_of_partial_ilids(names, tmp_path):
    folder = partial_ilids(tmp_path)
    for old, new in zip(("Probe", "Gallery"), names, strict=True):
        (folder / old).rename(folder / new)
    reading = read_dataset("partial_ilids", tmp_path)
    found = {(row.key, row.person_id, row.split) for row in reading.rows}
    assert found == {
        (f"partial_ilids/{names[0]}/001_1", 1, "query"),
        (f"partial_ilids/{names[0]}/002_1", 2, "query"),
        (f"partial_ilids/{names[1]}/001_2", 1, "gallery"),
        (f"partial_ilids/{names[1]}/002_2", 2, "gallery"),
    }
    assert {row.camera_id for row in reading.rows} == {NO_CAMERA_ID}
    assert reading.protocol == "no_camera"


def test_both_layouts_of_occluded_reid(tmp_path):
    rows = rows_of("occluded_reid", occluded_reid(tmp_path))
    assert [(row.key, row.person_id, row.split) for row in rows] == [
        ("occluded_reid/occluded_body_images/001/001_01", 1, "query"),
        ("occluded_reid/occluded_body_images/002/002_01", 2, "query"),
        ("occluded_reid/whole_body_images/001/001_06", 1, "gallery"),
        ("occluded_reid/whole_body_images/002/002_06", 2, "gallery"),
    ]
    assert file_problems(rows, None) == []
    flat = tmp_path / "flat copy"
    write_image(flat / "query/007_01.jpg")
    write_image(flat / "gallery/007_06.png")
    assert [row.person_id for row in rows_of("occluded_reid", flat)] == [7, 7]


def test_persons_counted_from_0_are_no_distractors(tmp_path):
    for name in ("query/000_1.jpg", "query/010_1.jpg", "gallery/000_2.jpg", "gallery/002_2.jpg"):
        write_image(tmp_path / name)
    rows = rows_of("partial_ilids", tmp_path)
    assert {row.key.rpartition("/")[2]: row.person_id for row in rows} == {
        "000_1": 1,
        "010_1": 11,
        "000_2": 1,
        "002_2": 3,
    }


def test_counts_are_compared_with_the_published(tmp_path):
    reading = read_dataset("partial_reid:partial", partial_reid(tmp_path))
    counts = count_splits(dataset_named("partial_reid"), reading.rows)
    assert differences(reading.published, counts) == [
        "query images: expected 300, found 4",
        "query persons: expected 60, found 2",
        "gallery images: expected 300, found 4",
        "gallery persons: expected 60, found 2",
    ]


def test_refuses_foreign_names_and_strangers_in_a_person_folder(tmp_path):
    folder = occluded_reid(tmp_path)
    stray = write_image(folder / "whole_body_images/overview.jpg")
    with pytest.raises(DataError, match=r"overview\.jpg: a file name <person>_<number>"):
        rows_of("occluded_reid", folder)
    stray.rename(folder / "whole_body_images/001/002_07.jpg")
    with pytest.raises(DataError, match="folder of person 001 and is named after person 002"):
        rows_of("occluded_reid", folder)


def test_refuses_empty_folders_and_shows_every_layout(tmp_path):
    for name in ("query", "gallery"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    with pytest.raises(DataError, match=r"no images in .*query"):
        rows_of("occluded_reid", tmp_path / "empty")
    with pytest.raises(MissingPathError) as error:
        rows_of("occluded_reid", tmp_path)
    for text in ("no Occluded-REID layout", "whole_body_images/001/001_06.tif", "empty/"):
        assert text in str(error.value)
    assert "query/001_01.jpg" in str(error.value)
