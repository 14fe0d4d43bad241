import os
import shutil
from pathlib import Path

import pytest
from hand_made import write_image, write_mask

from tfreid.datasets import NO_CAMERA_ID, SplitChoice, read_dataset, rows_of
from tfreid.errors import DataError, MissingPathError, UsageError


def test_reads_splits_persons_and_cameras(image_tree):
    root = image_tree(
        "train/bob/yard/1.jpg",
        "train/ann/door/1.png",
        "query/cid/door/1.jpg",
        "gallery/cid/yard/1.jpg",
    )
    rows = {row.key: row for row in rows_of("folder", root)}
    assert {key: (row.person_id, row.camera_id, row.split) for key, row in rows.items()} == {
        "folder/train/ann/door/1": (1, 1, "train"),
        "folder/train/bob/yard/1": (2, 2, "train"),
        "folder/query/cid/door/1": (3, 1, "query"),
        "folder/gallery/cid/yard/1": (3, 2, "gallery"),
    }


def test_keeps_the_names(image_tree):
    reading = read_dataset("folder", image_tree("train/bob/3/1.jpg", "train/ann/07/1.jpg"))
    assert reading.person_names == {1: "ann", 2: "bob"}
    assert reading.camera_names == {3: "3", 7: "07"}


def test_keeps_integer_names(image_tree):
    root = image_tree(
        "train/0007/3/1.jpg", "query/12/5/1.jpg", "gallery/12/3/1.jpg", "gallery/9/5/1.jpg"
    )
    rows = rows_of("folder", root)
    assert {row.person_id for row in rows} == {7, 12, 9}
    assert {row.camera_id for row in rows} == {3, 5}


def test_persons_and_cameras_counted_from_zero_get_the_next_number(image_tree):
    rows = rows_of("folder", image_tree("train/0/0/1.jpg", "train/2/1/1.jpg", "train/10/1/1.jpg"))
    assert [(row.person_id, row.camera_id) for row in rows] == [(1, 1), (11, 2), (3, 2)]
    assert all(row.is_person for row in rows)


def test_reads_without_cameras(image_tree):
    rows = rows_of("folder", image_tree("train/a/1.jpg", "train/b/1.jpg"))
    assert [(row.person_id, row.camera_id) for row in rows] == [
        (1, NO_CAMERA_ID),
        (2, NO_CAMERA_ID),
    ]


def persons_of(rows, split):
    return {row.person_id for row in rows if row.split == split}


def test_draws_a_split_by_person_from_the_seed(image_tree):
    root = image_tree(
        *(f"p{person}/c{camera}/{i}.jpg" for person in range(6) for camera in "01" for i in "ab")
    )
    rows = rows_of("folder", root, split=SplitChoice(1))
    assert rows == rows_of("folder", root, split=SplitChoice(1))
    assert len(persons_of(rows, "train")) == 3
    assert persons_of(rows, "query") == persons_of(rows, "gallery")
    assert not persons_of(rows, "train") & persons_of(rows, "query")
    # One query a camera of each test person.
    assert sum(row.split == "query" for row in rows) == 6
    draws = {
        tuple(row.split for row in rows_of("folder", root, split=SplitChoice(s))) for s in range(4)
    }
    assert len(draws) > 1
    assert rows_of("folder", root) == rows_of("folder", root, split=SplitChoice(0))


def test_draws_no_query_without_a_match(image_tree):
    root = image_tree("a/c1/1.jpg", "a/c2/1.jpg", "b/c1/1.jpg", "b/c2/1.jpg")
    rows = rows_of("folder", root)
    assert sorted(row.split for row in rows) == ["gallery", "query", "train", "train"]


def test_draws_one_query_a_person_without_cameras(image_tree):
    rows = rows_of("folder", image_tree("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"))
    assert sorted(row.split for row in rows) == ["gallery", "query", "train", "train"]


@pytest.mark.parametrize(
    ("paths", "error", "message"),
    [
        (("a/1.jpg",), DataError, "two persons or more, found 1"),
        (("train/a/1.jpg", "query/b/1.jpg"), MissingPathError, "a test needs both"),
        (("a/1.jpg", "a/c1/1.jpg"), DataError, "beside folders of cameras"),
        (("a/1.jpg", "b/c1/1.jpg"), DataError, "in no camera's folder"),
        (("a/1.jpg", "a/1.png", "b/1.jpg"), DataError, "share the key folder/a/1"),
        (("7/1.jpg", "-1/1.jpg"), DataError, "person -1: it marks junk in the layout of Market"),
        (("e\u0301/1.jpg", "\u00e9/1.jpg"), DataError, r"'e\\u0301' and '\\xe9' look the same"),
        (("9223372036854775808/1.jpg", "2/1.jpg"), DataError, "to 9223372036854775807 .63 bits"),
        (("train/a/1.jpg", "train/2.jpg"), DataError, "outside the folders of persons.*2.jpg"),
        (("7/1.jpg", "007/1.jpg"), DataError, "person names 007 and 7 are the same number"),
        (("1.jpg",), DataError, r"no folders of persons in [\s\S]*found:\n  1.jpg"),
        (("a/1/1.jpg", "a/x/y/1.jpg"), DataError, r"no images in .*a/x: .*remove it"),
    ],
)
def test_refuses_what_it_cannot_read(image_tree, paths, error, message):
    with pytest.raises(error, match=message):
        rows_of("folder", image_tree(*paths))


def test_refuses_missing_folders_and_empty_splits(image_tree, tmp_path):
    with pytest.raises(MissingPathError, match="no such path"):
        rows_of("folder", tmp_path / "nowhere")
    root = image_tree("query/a/1.jpg", "gallery/a/2.jpg")
    (root / "train").mkdir()
    with pytest.raises(DataError, match=r"no folders of persons in .*train"):
        rows_of("folder", root)


def test_only_drawn_splits_take_a_seed(market):
    with pytest.raises(UsageError, match="fixed splits"):
        rows_of("market1501", market, split=SplitChoice(3))


def test_reads_the_formats_of_images(image_tree):
    names = ("1.jpg", "2.jpeg", "3.PNG", "4.bmp", "5.tif", "6.tiff", "7.webp")
    rows = rows_of("folder", image_tree(*(f"train/a/{name}" for name in names)))
    assert [Path(row.image_path).name for row in rows] == list(names)


def test_counts_what_it_passes_over(image_tree):
    root = image_tree(
        "train/a/1.jpg", "train/a/2.gif", "more/a/x/3.jpg", "more/b/4.jpg", "train/b/1.png"
    )
    (root / "notes").write_text("")
    (root / "train/a/Thumbs.db").write_text("")
    (root / "train/.hidden.jpg").write_text("")
    write_image(root / "train/b/deep/er/5.png").rename(root / "train/a/6.heic")
    (root / "train/b/deep/er").rmdir()
    (root / "train/b/deep").rmdir()
    reading = read_dataset("folder", root)
    assert reading.passed_over == {
        "*.gif in train/": 1,
        "*.heic in train/": 1,
        "*.jpg in more/": 2,
        "without extension in ./": 1,
    }
    assert len(reading.rows) == 2


@pytest.mark.parametrize(
    "paths",
    [
        ("train/a/1.jpg", "test/a/1.jpg", "val/b/1.jpg"),
        ("Train/a/1.jpg", "test/a/1.jpg", "val/b/1.jpg"),
        ("query/a/1.jpg", "gallery/a/1.jpg", "test/a/x/1.jpg", "val/b/1.jpg"),
    ],
)
def test_folders_that_others_take_for_splits_are_refused_by_name(image_tree, paths):
    with pytest.raises(DataError, match=r"test/ and val/: splits are called train, query, gallery"):
        rows_of("folder", image_tree(*paths))


def test_persons_and_empty_folders_may_have_such_names(image_tree):
    root = image_tree("val/1.jpg", "val/2.jpg", "ada/1.jpg", "ada/2.jpg")
    assert {row.key for row in rows_of("folder", root)} >= {"folder/val/1"}
    root = image_tree("train/a/1.jpg")
    (root / "test").mkdir()
    for path in ("val", "ada"):
        shutil.rmtree(root / path)
    assert len(rows_of("folder", root)) == 1


def test_one_persons_folder_is_answered_with_the_one_above(image_tree):
    root = image_tree("anna/1.jpg", "ben/1.jpg")
    with pytest.raises(DataError, match=f"if this is one person's folder, give {root}\n"):
        rows_of("folder", root / "anna")


def test_one_persons_folder_of_cameras_is_warned_of(image_tree, caplog):
    root = image_tree(
        *(f"{name}/{camera}/{n}.jpg" for name in ("anna", "ben") for camera in "xy" for n in "12")
    )
    rows_of("folder", root / "anna")
    (warning,) = caplog.messages
    assert f"{root / 'ben'} beside it has folders of the same names (x, y)" in warning
    assert f"if they are cameras, give {root} instead" in warning
    caplog.clear()
    rows_of("folder", root)
    assert not caplog.messages


def test_passes_over_what_lies_too_deep(image_tree):
    root = image_tree("train/a/x/1.jpg", "train/a/x/more/2.jpg")
    assert read_dataset("folder", root).passed_over == {"*.jpg in train/": 1}


def test_masks_beside_the_splits_are_not_passed_over(image_tree):
    root = image_tree("train/a/1.jpg")
    write_mask(root / "masks/train/a/1.png")
    assert read_dataset("folder", root, root / "masks").passed_over == {}
    assert read_dataset("folder", root).passed_over == {"*.png in masks/": 1}


def test_lists_all_that_is_wrong(image_tree):
    root = image_tree("train/a/1.jpg", "train/2.jpg", "train/b/c1/3.jpg", "train/b/4.jpg")
    (root / "train/empty").mkdir()
    (root / "train/lost").symlink_to(root / "nowhere")
    (root / "train/b/circle").symlink_to("circle")
    with pytest.raises(DataError, match="has 6 errors") as error:
        rows_of("folder", root)
    for part in ("2.jpg", "b has images beside", "empty: expected", "lost: a link"):
        assert part in str(error.value)
    assert "circle: a link that leads nowhere" in str(error.value)


def test_a_name_that_is_not_utf8_is_named(image_tree):
    root = image_tree("a/1.jpg", "b/1.jpg")
    os.rename(root / "a/1.jpg", os.fsencode(root) + b"/a/\xd5\xc5.jpg")
    with pytest.raises(DataError, match=r"a/\\xd5\\xc5.jpg: this name is not UTF-8.*rename it"):
        rows_of("folder", root)


def test_files_whose_names_look_the_same_are_named(image_tree):
    root = image_tree("train/a/\u00e9.jpg", "train/a/e\u0301.jpg")
    with pytest.raises(DataError, match="share the key"):
        rows_of("folder", root)
