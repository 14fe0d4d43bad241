import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import shinpuhkan as write_shinpuhkan
from tfreid.datasets import DATASETS, read_dataset, rows_of
from tfreid.datasets.check import differences_of
from tfreid.errors import DataError


@pytest.fixture
def shinpuhkan(tmp_path):
    return write_shinpuhkan(tmp_path)


def test_reads_person_and_camera_by_their_place_in_the_name(shinpuhkan):
    rows = rows_of("shinpuhkan", shinpuhkan)
    assert [(row.key, row.person_id, row.camera_id, row.split) for row in rows] == [
        ("shinpuhkan/images/001_01_01_0001", 1, 1, "train"),
        ("shinpuhkan/images/001_16_01_0002", 1, 16, "train"),
        ("shinpuhkan/images/024_01_02_0003", 24, 1, "train"),
        ("shinpuhkan/images/024_02_02_0004", 24, 2, "train"),
    ]


def test_the_published_counts(shinpuhkan, tmp_path):
    lines = differences_of(DATASETS["shinpuhkan"], read_dataset("shinpuhkan", shinpuhkan))
    assert lines == ["train persons: expected 24, found 2", "train cameras: expected 16, found 3"]
    for person in range(1, 25):
        (shinpuhkan / f"images/{person:03d}_{person % 16 + 1:02d}_9.jpg").touch()
    reading = read_dataset("shinpuhkan", tmp_path)
    assert differences_of(DATASETS["shinpuhkan"], reading) == []


def test_refuses_a_foreign_file_name_and_an_empty_folder(shinpuhkan):
    for name in ("000_01_1.jpg", "001_00_1.jpg", "1_1.jpg", "anna.jpg"):
        image = write_image(shinpuhkan / "images" / name)
        with pytest.raises(DataError, match=rf"{name}: .*Shinpuhkan"):
            rows_of("shinpuhkan", shinpuhkan)
        image.unlink()
    for image in (shinpuhkan / "images").iterdir():
        image.unlink()
    with pytest.raises(DataError, match=r"no images in .*images"):
        rows_of("shinpuhkan", shinpuhkan)
