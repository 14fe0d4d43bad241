import pytest

from tests.datasets import miniatures
from tests.datasets.hand_made import write_image
from tfreid.datasets import DATASETS, read_dataset, rows_of
from tfreid.datasets.check import count_splits, differences
from tfreid.errors import DataError, MissingPathError


@pytest.fixture
def duke(tmp_path):
    return miniatures.dukemtmc(tmp_path / "my data")


def test_reads_the_fields_of_the_file_names(duke):
    rows = {row.key: row for row in rows_of("dukemtmc", duke)}
    assert len(rows) == 7
    row = rows["dukemtmc/bounding_box_train/0007_c3_f0080619"]
    assert (row.person_id, row.camera_id, row.split) == (7, 3, "train")
    assert row.image_path == str(duke / "bounding_box_train/0007_c3_f0080619.JPG")
    row = rows["dukemtmc/bounding_box_test/0005_c8_f0066501"]
    assert (row.person_id, row.camera_id, row.split) == (5, 8, "gallery")
    assert rows["dukemtmc/query/0005_c2_f0046985"].split == "query"


def test_compares_with_the_published_counts(duke):
    reading = read_dataset("dukemtmc", duke.parent)
    assert reading.protocol == "market"
    lines = differences(reading.published, count_splits(DATASETS["dukemtmc"], reading.rows))
    assert "train images: expected 16,522, found 3" in lines
    assert "query images: expected 2,228, found 1" in lines
    assert "gallery persons: expected 1,110, found 2" in lines
    assert "gallery cameras: expected 8, found 3" in lines


def test_other_files_are_passed_over(duke):
    expected = rows_of("dukemtmc", duke)
    for name in ("Thumbs.db", "._0005_c2_f0046985.jpg", "readme.txt"):
        (duke / "query" / name).touch()
    assert rows_of("dukemtmc", duke) == expected


@pytest.mark.parametrize(
    "name", ["0002_c1s1_000451_03.jpg", "-1_c1_f0044158.jpg", "0002_c0_f0044158.jpg"]
)
def test_refuses_a_foreign_file_name(duke, name):
    write_image(duke / "bounding_box_test" / name)
    with pytest.raises(DataError, match=rf"{name}: .*DukeMTMC-reID.*0001_c2_f0046182\.jpg"):
        rows_of("dukemtmc", duke)


def test_says_that_there_is_no_other_copy(tmp_path):
    with pytest.raises(MissingPathError, match=r"0001_c2_f0046182\.jpg"):
        rows_of("dukemtmc", tmp_path)
    told = DATASETS["dukemtmc"].obtain + DATASETS["dukemtmc"].licence
    assert "withdrew" in told
    assert "http" not in told
