from collections import Counter

import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import cuhk01 as write_cuhk01
from tfreid.datasets import DATASETS, read_dataset, rows_of
from tfreid.datasets.check import count_splits, differences_of
from tfreid.errors import DataError, MissingPathError


@pytest.fixture
def cuhk01(tmp_path):
    return write_cuhk01(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """As many files as are published, without contents."""
    folder = tmp_path_factory.mktemp("CUHK01")
    for person in range(1, 972):
        for image in range(1, 5):
            (folder / f"{person:04d}{image:03d}.png").touch()
    return folder


def test_reads_the_digits_of_the_file_names(cuhk01):
    rows = {row.key: row for row in rows_of("cuhk01", cuhk01)}
    assert len(rows) == 22
    found = {key: (rows[key].person_id, rows[key].camera_id) for key in rows}
    assert found["cuhk01/0001001"] == found["cuhk01/0001002"] == (1, 1)
    assert found["cuhk01/0005003"] == (5, 2)
    assert found["cuhk01/0006004"] == (6, 2)
    assert rows["cuhk01/0006004"].image_path == str(cuhk01 / "0006004.PNG")


def test_the_images_may_lie_in_the_folder_itself_or_deeper(cuhk01, tmp_path):
    expected = [row.key for row in rows_of("cuhk01", cuhk01)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/cuhk01").mkdir()
    cuhk01.rename(tmp_path / "data/cuhk01/campus")
    for root in ("data", "data/cuhk01", "data/cuhk01/campus"):
        assert [row.key for row in rows_of("cuhk01", tmp_path / root)] == expected


def test_a_person_without_second_camera_trains(cuhk01):
    reading = read_dataset("cuhk01", cuhk01)
    assert reading.protocol == "random_half"
    assert len(reading.split.test_persons) == 3
    assert Counter(row.split for row in reading.rows) == {"train": 10, "query": 6, "gallery": 6}
    assert {row.split for row in reading.rows if row.person_id == 6} == {"train"}


@pytest.mark.parametrize(
    ("choice", "persons"), [("", 486), (":test_half", 486), (":test_100", 100)]
)
def test_the_published_counts(whole, choice, persons):
    reading = read_dataset(f"cuhk01{choice}", whole)
    assert len(reading.split.test_persons) == persons
    assert differences_of(DATASETS["cuhk01"], reading) == []


def test_all_images_may_train(whole):
    reading = read_dataset("cuhk01:all,test_100", whole)
    assert differences_of(DATASETS["cuhk01"], reading) == []
    counts = count_splits(DATASETS["cuhk01"], reading.rows)
    assert (counts["train"].images, counts["train"].persons) == (3884, 971)


def test_refuses_what_is_not_named_so(cuhk01):
    for name in ("0001005.png", "0000001.png", "1001.png", "00010011.png"):
        image = write_image(cuhk01 / name)
        with pytest.raises(DataError, match=rf"{name}: .*CUHK01.*0001001\.png"):
            rows_of("cuhk01", cuhk01)
        image.unlink()


def test_refuses_too_few_persons_and_another_folder(cuhk01, tmp_path):
    with pytest.raises(DataError, match=r"100 test persons needs as many .* found 5"):
        rows_of("cuhk01:test_100", cuhk01)
    with pytest.raises(MissingPathError, match=r"0001001\.png, 0001002\.png"):
        rows_of("cuhk01", tmp_path / "nowhere")
