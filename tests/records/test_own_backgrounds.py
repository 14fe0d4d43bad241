"""Backgrounds that conversion makes of the pictures themselves."""

import dataclasses
import json
import re
import sys

import numpy as np
import pytest
from PIL import Image

from tests.tiny_people import draw
from tfreid.datasets import Reading, Row, rows_of
from tfreid.errors import DataError
from tfreid.inputs import InputSpec, RandomBackground, evaluation_batches, training_batches
from tfreid.records import ImageSet, Records, conversion
from tfreid.records.own_backgrounds import owner_of, spread
from tfreid.records.sources import plan

pytest.importorskip("cv2")


def convert(raw_data, out, masks=True, **options):
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks" if masks else None)
    source = ImageSet("market1501", given=Reading(rows), mask_vocabulary="lip20" if masks else "")
    conversion.convert(plan([source], 2, 0, 0), out, conversion.ConversionOptions(**options))
    return Records(out)


@pytest.fixture(scope="module")
def made(raw_data, tmp_path_factory):
    return convert(raw_data, tmp_path_factory.mktemp("own") / "out")


def test_each_pool_is_of_its_own_splits(made):
    """Persons 1 to 8 are trained on; the others, and distractors (0), are tested on."""
    assert made.info.own_backgrounds
    owners = {split: {owner_of(p) for p in made.backgrounds(split)} for split in made.info.splits}
    assert {person for person, _ in owners["train"]} == {*range(1, 9)}
    assert {person for person, _ in owners["query"]} == {0, *range(9, 15)}
    assert owners["query"] == owners["gallery"]
    assert {camera for _, camera in owners["train"]} == {1, 2}
    pools = [len(made.backgrounds(split)) for split in ("train", "query")]
    assert pools == [48, 37]  # Junk is nobody's.
    assert len(made.backgrounds()) == sum(pools)
    assert made.background_source == (
        "pictures of this data set, from which the persons were removed by inpainting; an image "
        "gets one of another person and, where there is one, of another camera: 48 for training, "
        "37 for the test"
    )


def test_the_person_is_gone(made):
    """What is left is nearly the camera's colour, even where the person stood."""
    for path in made.backgrounds("train"):
        person, camera = owner_of(path)
        pixels, mask = draw(person, camera, 1)
        scene = pixels[mask == 0].mean(axis=0)
        found = np.asarray(Image.open(path)).astype(float)
        assert found.shape == pixels.shape
        assert np.abs(found.mean(axis=(0, 1)) - scene).max() < 8
        assert np.abs(found - scene).max() < 60


def test_the_same_pictures_are_taken_again(raw_data, made, tmp_path):
    again = convert(raw_data, tmp_path / "again")
    for path, other in zip(made.backgrounds(), again.backgrounds(), strict=True):
        assert (path.name, path.read_bytes()) == (other.name, other.read_bytes())


@pytest.mark.parametrize("split", ["train", "query"])
def test_nobody_stands_before_a_picture_of_the_own_camera(made, split):
    """Both cameras have pictures of other persons; they differ in colour."""
    scenes = {
        camera: np.mean(
            [
                np.asarray(Image.open(path)).mean(axis=(0, 1))
                for path in made.backgrounds(split)
                if owner_of(path)[1] == camera
            ],
            axis=0,
        )
        for camera in (1, 2)
    }
    spec = InputSpec((32, 16), variant="random_background", mask_vocabulary="binary")
    for batch in evaluation_batches(made, split, spec, 16, seed=0).as_numpy_iterator():
        for image, mask, camera in zip(
            batch["image"], batch["mask"], batch["camera_id"], strict=True
        ):
            found = image[mask == 0].mean(axis=0)
            distances = {c: np.abs(found - scene).max() for c, scene in scenes.items()}
            assert min(distances, key=distances.get) == 3 - camera


def test_training_draws_from_them(made):
    spec = InputSpec((32, 16), augmentation=(RandomBackground(1.0),))
    (batch,) = training_batches(made, "train", spec, 16, seed=0, steps=1).as_numpy_iterator()
    (plain,) = training_batches(
        made, "train", InputSpec((32, 16)), 16, seed=0, steps=1
    ).as_numpy_iterator()
    np.testing.assert_array_equal(batch["key"], plain["key"])
    changed = (batch["image"] != plain["image"]).any(axis=-1)
    assert changed.mean(axis=(1, 2)).min() > 0.3


def test_there_are_few_of_them_of_as_many_persons_and_cameras_as_there_are(monkeypatch):
    rng = np.random.default_rng(0)
    cameras = rng.choice(4, 500, p=[0.7, 0.2, 0.07, 0.03])
    owners = [(int(p), int(c)) for p, c in zip(rng.integers(1, 40, 500), cameras, strict=True)]
    hashes = rng.integers(0, 2**63, 500).tolist()
    order = spread(owners, hashes)
    assert sorted(order) == [*range(500)]
    first = [owners[i] for i in order[:40]]
    assert len(set(first)) >= 35
    assert {c: sum(camera == c for _, camera in first) for c in range(4)} == dict.fromkeys(
        range(4), 10
    )
    assert spread(owners, hashes) == order != spread(owners, hashes[::-1])


def test_no_more_than_the_limit(raw_data, tmp_path, monkeypatch):
    monkeypatch.setattr("tfreid.records.own_backgrounds.MOST_PICTURES", 5)
    records = convert(raw_data, tmp_path / "out")
    assert [len(records.backgrounds(split)) for split in ("train", "gallery")] == [5, 5]


@pytest.mark.slow
def test_a_raised_limit_is_that_of_masks_too(tmp_path):
    """Of 51 megapixels, one more than are taken unless asked for."""
    mask = np.zeros((8500, 6000), np.uint8)
    mask[1000:7000, 2000:4000] = 1
    image_path, mask_path = (str(tmp_path / name) for name in ("image.png", "mask.png"))
    Image.fromarray(50 * mask).save(image_path)
    Image.fromarray(mask).save(mask_path)
    row = Row(image_path, 1, 1, "train", "own/1", mask_path)
    source = ImageSet("own", given=Reading([row]), mask_vocabulary="binary")
    options = conversion.ConversionOptions(max_image_mpx=51)
    info = conversion.convert(plan([source], 1, 0, 0), tmp_path / "out", options)
    assert info.has_masks("train")
    assert len(Records(tmp_path / "out").backgrounds("train")) == 1


def test_given_scenes_are_preferred(raw_data, tmp_path):
    records = convert(raw_data, tmp_path / "out", backgrounds_root=raw_data / "backgrounds")
    assert not records.info.own_backgrounds
    assert records.background_source == "given scenes: 2 for training, 1 for the test"


@pytest.mark.parametrize("missing", ["masks", "cv2"])
def test_without_masks_or_opencv_there_are_none(raw_data, tmp_path, monkeypatch, missing):
    if missing == "cv2":
        monkeypatch.setitem(sys.modules, "cv2", None)
    records = convert(raw_data, tmp_path / "out", masks=missing != "masks")
    assert not records.info.own_backgrounds
    assert records.backgrounds() == []
    assert records.background_source == "none"


def test_a_file_that_says_nothing_of_its_owner_is_named(raw_data, tmp_path):
    records = convert(raw_data, tmp_path / "out")
    path = records.path / "backgrounds" / "test" / "holiday.jpg"
    Image.new("RGB", (40, 40)).save(path)
    spec = InputSpec((32, 16), variant="random_background")
    with pytest.raises(DataError, match=re.escape(f"{path} is none of the backgrounds")):
        evaluation_batches(records, "query", spec, 16, seed=0)


def test_earlier_descriptions_say_nothing_of_them(made, tmp_path):
    values = dataclasses.asdict(made.info)
    del values["own_backgrounds"]
    (tmp_path / "dataset.json").write_text(json.dumps(values))
    assert not Records(tmp_path).info.own_backgrounds
