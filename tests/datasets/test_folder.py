import pytest

from tfreid.datasets import NO_CAMERA_ID, SplitChoice, rows_of
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


def test_keeps_integer_names(image_tree):
    root = image_tree(
        "train/0007/3/1.jpg", "query/12/5/1.jpg", "gallery/12/3/1.jpg", "gallery/-1/5/1.jpg"
    )
    rows = rows_of("folder", root)
    assert {row.person_id for row in rows} == {7, 12, -1}
    assert {row.camera_id for row in rows} == {3, 5}


def test_numbers_cameras_counted_from_zero_anew(image_tree):
    rows = rows_of("folder", image_tree("train/0/0/1.jpg", "train/1/1/1.jpg"))
    assert [(row.person_id, row.camera_id) for row in rows] == [(0, 1), (1, 2)]


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
        (("7/1.jpg", "007/1.jpg"), DataError, "person names 007 and 7 are the same number"),
        (("1.jpg",), DataError, r"no folders of persons in [\s\S]*found:\n  1.jpg"),
        (("a/1/1.jpg", "a/x/y/1.jpg"), DataError, r"no images in .*a/x: "),
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
