from collections import Counter

import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import prid as write_prid
from tfreid.datasets import DATASETS, read_dataset, rows_of
from tfreid.datasets.check import differences_of
from tfreid.errors import DataError, MissingPathError


@pytest.fixture
def prid(tmp_path):
    return write_prid(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """As many files as are published, without contents."""
    root = tmp_path_factory.mktemp("prid") / "prid_2011"
    for camera, persons in (("cam_a", 385), ("cam_b", 749)):
        (root / "single_shot" / camera).mkdir(parents=True)
        for person in range(1, persons + 1):
            (root / f"single_shot/{camera}/person_{person:04d}.png").touch()
            sequence = root / f"multi_shot/{camera}/person_{person:04d}"
            sequence.mkdir(parents=True)
            (sequence / "0001.png").touch()
    return root


def test_half_of_the_shared_persons_is_tested_among_all_of_camera_b(prid):
    reading = read_dataset("prid", prid)
    assert reading.protocol == "random_half"
    tested = set(reading.split.test_persons)
    assert len(tested) == 2
    assert tested < {1, 2, 3, 4}
    found = {(row.person_id, row.camera_id): row.split for row in reading.rows}
    assert len(found) == len(reading.rows) == 10
    for person in (1, 2, 3, 4):
        splits = (found[person, 1], found[person, 2])
        assert splits == (("query", "gallery") if person in tested else ("train", "train"))
    assert found[201, 2] == found[749, 2] == "gallery"
    assert reading.excluded == {"of persons whom camera a alone saw": 2}


def test_sequences_are_read_by_option(prid):
    reading = read_dataset("prid:multi_shot", prid)
    assert Counter(row.split for row in reading.rows) == {"train": 8, "query": 4, "gallery": 8}
    row = next(row for row in reading.rows if row.person_id == 749)
    assert row.key == "prid/multi_shot/cam_b/person_0749/0001"
    assert reading.split == read_dataset("prid", prid).split
    assert reading.excluded == {"of persons whom camera a alone saw": 4}


def test_where_nobody_is_tested_everybody_trains(prid):
    reading = read_dataset("prid:all", prid)
    assert {row.split for row in reading.rows} == {"train"}
    assert reading.excluded == {}
    persons = {row.key: row.person_id for row in reading.rows}
    assert persons["prid/single_shot/cam_a/person_0201"] == 1201
    assert persons["prid/single_shot/cam_b/person_0201"] == 201
    assert persons["prid/single_shot/cam_a/person_0002"] == 2
    assert len(persons) == 12
    assert len(set(persons.values())) == 8


@pytest.mark.parametrize("name", ["prid", "prid:multi_shot", "prid:all", "prid:all,multi_shot"])
def test_the_published_counts(whole, name):
    reading = read_dataset(name, whole)
    assert differences_of(DATASETS["prid"], reading) == []
    if reading.split:
        assert reading.excluded == {"of persons whom camera a alone saw": 185}


def test_refuses_what_is_not_named_so(prid):
    image = write_image(prid / "single_shot/cam_a/anna.png")
    with pytest.raises(DataError, match=r"anna\.png: expected .*person_0001\.png"):
        rows_of("prid", prid)
    image.unlink()
    write_image(prid / "multi_shot/cam_b/anna/0001.png")
    with pytest.raises(DataError, match=r"anna/0001\.png: expected .*person_0001/0001\.png"):
        rows_of("prid:multi_shot", prid)


def test_refuses_empty_and_missing_folders(prid):
    (prid / "multi_shot/cam_b").rename(prid / "multi_shot/old")
    with pytest.raises(MissingPathError, match=r"multi_shot/\{cam_a,cam_b\}"):
        rows_of("prid:multi_shot", prid)
    (prid / "multi_shot/cam_b").mkdir()
    with pytest.raises(DataError, match=r"no folders of persons in .*cam_b"):
        rows_of("prid:multi_shot", prid)
    (prid / "multi_shot/cam_b/person_0001").mkdir()
    with pytest.raises(DataError, match=r"no images in .*person_0001"):
        rows_of("prid:multi_shot", prid)
