from collections import Counter

import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import THREE_DPES_PERSONS
from tests.datasets.training_miniatures import three_dpes as write_three_dpes
from tfreid.datasets import DATASETS, read_dataset, rows_of
from tfreid.datasets.check import differences_of
from tfreid.errors import DataError


@pytest.fixture
def three_dpes(tmp_path):
    return write_three_dpes(tmp_path)


def cameras(rows, person):
    return {row.key.split("_")[1]: row.camera_id for row in rows if row.person_id == person}


def test_the_first_half_of_a_persons_views_acts_as_camera_1(three_dpes):
    rows = rows_of("3dpes", three_dpes)
    assert len(rows) == 5 + 3 + 1 + 2 * (THREE_DPES_PERSONS - 3)
    assert cameras(rows, 1) == {"1": 1, "2": 1, "3": 2, "9": 2, "10": 2}
    assert cameras(rows, 2) == {"1": 1, "4": 2, "7": 2}
    assert cameras(rows, 3) == {"2": 2}
    assert cameras(rows, 4) == {"1": 1, "2": 2}
    row = next(row for row in rows if row.person_id == 1)
    assert row.key == "3dpes/RGB/1_10_FRAME_30_RGB"


def test_all_images_of_a_view_are_the_same_cameras(three_dpes):
    write_image(three_dpes / "RGB/4_2_FRAME_90_RGB.BMP")
    rows = {row.key: row for row in rows_of("3dpes", three_dpes)}
    assert rows["3dpes/RGB/4_2_FRAME_90_RGB"].camera_id == 2
    assert rows["3dpes/RGB/4_1_FRAME_21_RGB"].camera_id == 1


def test_draws_100_test_persons_with_two_views(three_dpes):
    reading = read_dataset("3dpes", three_dpes)
    assert reading.protocol == "random_half"
    assert (reading.split.of, len(reading.split.test_persons)) == (10, 100)
    assert 3 not in reading.split.test_persons
    assert Counter({r.person_id: r.split for r in reading.rows}.values())["train"] == 3
    lines = differences_of(DATASETS["3dpes"], reading)
    assert lines == [
        "train persons: expected 92, found 3",
        f"all images: expected 1,011, found {len(reading.rows)}",
        "all persons: expected 192, found 103",
    ]


def test_all_images_may_train(three_dpes):
    reading = read_dataset("3dpes:all", three_dpes)
    assert {row.split for row in reading.rows} == {"train"}
    assert len(reading.rows) == len(rows_of("3dpes", three_dpes))


def test_refuses_a_foreign_file_name(three_dpes):
    for name in ("0_1_FRAME_1_RGB.bmp", "a_1_FRAME.bmp", "12.bmp"):
        image = write_image(three_dpes / "RGB" / name)
        with pytest.raises(DataError, match=rf"{name}: .*3DPeS.*1_1_FRAME_23_RGB\.bmp"):
            rows_of("3dpes", three_dpes)
        image.unlink()


def test_refuses_too_few_persons(three_dpes):
    for image in (three_dpes / "RGB").glob("1[0-9][0-9]_*"):
        image.unlink()
    with pytest.raises(DataError, match=r"100 test persons needs as many .* found 98"):
        rows_of("3dpes", three_dpes)
