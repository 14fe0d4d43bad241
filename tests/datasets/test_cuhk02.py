from collections import Counter

import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import cuhk02 as write_cuhk02
from tfreid.datasets import DATASETS, SplitChoice, read_dataset, rows_of
from tfreid.datasets.check import differences_of
from tfreid.errors import DataError, MissingPathError, UsageError

PERSONS = (971, 306, 107, 193, 239)


@pytest.fixture
def cuhk02(tmp_path):
    return write_cuhk02(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """As many files as are published, without contents."""
    root = tmp_path_factory.mktemp("cuhk02")
    for pair, persons in enumerate(PERSONS, start=1):
        for camera in (1, 2):
            folder = root / f"Dataset/P{pair}/cam{camera}"
            folder.mkdir(parents=True)
            for person in range(1, persons + 1):
                (folder / f"{person:03d}_0001.png").touch()
                (folder / f"{person:03d}_0002.png").touch()
    return root


def test_persons_and_cameras_are_unique_over_the_pairs(cuhk02):
    rows = {row.key: row for row in rows_of("cuhk02", cuhk02)}
    assert len(rows) == 30
    assert len({row.person_id for row in rows.values()}) == 10
    row = rows["cuhk02/P1/cam1/001_0024"]
    assert (row.person_id, row.camera_id, row.split) == (10_001, 1, "train")
    row = rows["cuhk02/P4/cam2/002_0310"]
    assert (row.person_id, row.camera_id, row.split) == (40_002, 8, "train")
    row = rows["cuhk02/P5/cam1/002_0310"]
    assert (row.person_id, row.camera_id, row.split) == (50_002, 9, "query")
    row = rows["cuhk02/P5/cam2/001_0024"]
    assert (row.person_id, row.camera_id, row.split) == (50_001, 10, "gallery")


@pytest.mark.parametrize("name", ["cuhk02", "cuhk02:without_p1", "cuhk02:all,without_p1"])
def test_the_published_counts(whole, name):
    assert differences_of(DATASETS["cuhk02"], read_dataset(name, whole)) == []


def test_the_persons_of_cuhk01_may_be_left_out(cuhk02):
    reading = read_dataset("cuhk02:without_p1", cuhk02)
    assert reading.excluded == {"of pair P1, the persons of CUHK01": 6}
    assert Counter(row.split for row in reading.rows) == {"train": 18, "query": 3, "gallery": 3}
    assert min(row.camera_id for row in reading.rows) == 3
    assert read_dataset("cuhk02", cuhk02).excluded == {}
    whole = read_dataset("cuhk02:all,without_p1", cuhk02)
    assert Counter(row.split for row in whole.rows) == {"train": 24}
    assert whole.excluded == reading.excluded


def test_has_one_split(cuhk02):
    with pytest.raises(UsageError, match="cuhk02 has fixed splits"):
        rows_of("cuhk02", cuhk02, split=SplitChoice(1))


def test_refuses_a_foreign_file_name_and_a_missing_pair(cuhk02):
    image = write_image(cuhk02 / "P3/cam2/group.png")
    with pytest.raises(DataError, match=r"P3/cam2/group\.png: .*CUHK02.*001_0001\.png"):
        rows_of("cuhk02", cuhk02)
    image.unlink()
    (cuhk02 / "P3").rename(cuhk02 / "P6")
    with pytest.raises(MissingPathError, match=r"P1/\{cam1,cam2\}/001_0001\.png"):
        rows_of("cuhk02", cuhk02)
