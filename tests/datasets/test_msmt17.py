import pytest

from tests.datasets import miniatures
from tests.datasets.hand_made import write_image
from tfreid.datasets import DATASETS, SplitChoice, read_dataset, rows_of
from tfreid.datasets.check import count_splits, differences, file_problems
from tfreid.errors import DataError, MissingPathError, UsageError


@pytest.fixture
def msmt(tmp_path):
    return miniatures.msmt17(tmp_path / "my data")


def append(path, text):
    path.write_text(path.read_text() + text)


def test_reads_the_fields_of_the_lists(msmt):
    rows = {row.key: row for row in rows_of("msmt17", msmt)}
    assert list(rows) == sorted(rows)
    assert {key: (row.person_id, row.camera_id, row.split) for key, row in rows.items()} == {
        "msmt17/train/0000/0000_000_01_0303morning_0015_0": (10000, 1, "train"),
        "msmt17/test/0000/0000_000_01_0302noon_0001_0": (20000, 1, "query"),
        "msmt17/test/0000/0000_001_11_0302afternoon_0003_0": (20000, 11, "gallery"),
        "msmt17/test/0001/0001_000_05_0302noon_0002_0": (20001, 5, "query"),
        "msmt17/test/0001/0001_001_05_0303noon_0004_2": (20001, 5, "gallery"),
    }
    row = rows["msmt17/test/0001/0001_001_05_0303noon_0004_2"]
    assert row.image_path == str(msmt / "test/0001/0001_001_05_0303noon_0004_2.JPG")


def test_equal_numbers_of_training_and_test_are_different_persons(msmt):
    rows = rows_of("msmt17:train+val", msmt)
    persons = {
        split: {r.person_id for r in rows if r.split == split} for split in ("train", "query")
    }
    assert persons == {"train": {10000}, "query": {20000, 20001}}
    assert all(row.is_person for row in rows)


def test_trains_on_the_validation_list_if_asked(msmt):
    reading = read_dataset("msmt17", msmt)
    assert [row.split for row in reading.rows].count("train") == 1
    assert reading.published["train"].images == 30248
    assert reading.excluded == {
        "which no list names": 1,
        "of list_val.txt, on which train+val trains": 1,
    }
    both = read_dataset("msmt17:train+val", msmt)
    assert {row.key for row in both.rows} - {row.key for row in reading.rows} == {
        "msmt17/train/0000/0000_001_14_0303morning_0031_1"
    }
    assert both.published["train"].images == 30248 + 2373
    assert both.excluded == {"which no list names": 1}


def test_reads_version_2_by_its_folders(msmt, caplog):
    caplog.set_level("INFO", "tfreid")
    first = [(r.person_id, r.camera_id, r.split) for r in rows_of("msmt17", msmt)]
    (msmt / "train").rename(msmt / "mask_train_v2")
    (msmt / "test").rename(msmt / "mask_test_v2")
    second = msmt.rename(msmt.with_name("MSMT17_V2"))
    rows = rows_of("msmt17", second.parent)
    assert sorted((r.person_id, r.camera_id, r.split) for r in rows) == sorted(first)
    assert rows[0].key.startswith("msmt17/mask_test_v2/0000/")
    assert f"recognised the MSMT17_V2 layout in {second}" in caplog.text


def test_compares_with_the_published_counts(msmt):
    reading = read_dataset("msmt17", msmt)
    assert reading.protocol == "market"
    lines = differences(reading.published, count_splits(DATASETS["msmt17"], reading.rows))
    assert "query images: expected 11,659, found 2" in lines
    assert "gallery images: expected 82,161, found 2" in lines
    assert "train persons: expected 1,041, found 1" in lines


def test_other_files_and_blank_lines_are_passed_over(msmt):
    expected = read_dataset("msmt17", msmt)
    for name in ("Thumbs.db", "._0000_000_01_0303morning_0015_0.jpg"):
        (msmt / "train/0000" / name).touch()
    lines = (msmt / "list_query.txt").read_text()
    (msmt / "list_query.txt").write_bytes(lines.replace("\n", "\r\n").encode() + b"\r\n")
    assert read_dataset("msmt17", msmt) == expected


def test_warns_of_listed_files_that_are_missing(msmt, caplog):
    missing = msmt / "test/0000/0000_000_01_0302noon_0001_0.jpg"
    missing.unlink()
    rows = rows_of("msmt17", msmt)
    assert f"listed, but not there: {missing} (1 in all)" in caplog.text
    (problem,) = file_problems(rows, None)
    assert problem.names == (f"{missing}: no such file",)


def test_refuses_a_list_that_is_not_utf8(msmt):
    path = msmt / "list_train.txt"
    path.write_text(path.read_text(), encoding="utf-16")
    with pytest.raises(DataError, match=r"list_train\.txt is not UTF-8 text"):
        rows_of("msmt17", msmt)


@pytest.mark.parametrize(
    "line",
    [
        "0002/0002_000_01_0302noon_0001_0.jpg",
        "0002/0002_000_01_0302noon_0001_0.jpg two",
        "0002/0002_000_00_0302noon_0001_0.jpg 2",
        "0002/portrait.jpg 2",
        "../0002_000_01_0302noon_0001_0.jpg 2",
        "0002/0002_000_01_0302noon_0001_0.jpg -1",
    ],
)
def test_refuses_a_malformed_line(msmt, line):
    append(msmt / "list_gallery.txt", f"{line}\n")
    with pytest.raises(
        DataError, match=r"list_gallery\.txt:3: .*_0015_0\.jpg 0'; found '"
    ) as error:
        rows_of("msmt17", msmt)
    assert line in str(error.value)


def test_refuses_an_image_that_is_listed_twice(msmt):
    append(msmt / "list_val.txt", "0000/0000_000_01_0303morning_0015_0.jpg 0\n")
    with pytest.raises(DataError, match=r"list_val\.txt:2 names .* after .*list_train\.txt:1"):
        rows_of("msmt17", msmt)


def test_refuses_an_empty_list(msmt):
    (msmt / "list_query.txt").write_text("\n")
    with pytest.raises(DataError, match=r"list_query\.txt names no images"):
        rows_of("msmt17", msmt)


def test_draws_both_trees_where_neither_is_found(tmp_path):
    write_image(tmp_path / "pictures/1.jpg")
    with pytest.raises(MissingPathError) as error:
        rows_of("msmt17", tmp_path)
    text = str(error.value)
    assert "no MSMT17_V1 or MSMT17_V2 layout" in text
    assert "mask_train_v2/0000/" in text
    assert "\n  train/0000/" in text
    assert "found:\n  pictures/" in text


def test_has_one_split(msmt):
    with pytest.raises(UsageError, match="fixed splits"):
        read_dataset("msmt17", msmt, split=SplitChoice(index=1))
