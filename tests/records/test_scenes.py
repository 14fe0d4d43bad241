"""Scenes that the user gives: in one folder, or in one for training and one for the test."""

import re

import numpy as np
import pytest
from PIL import Image

from tfreid.datasets import Reading, rows_of
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.inputs import InputSpec, evaluation_batches
from tfreid.records import ImageSet, Records, conversion
from tfreid.records.records import POOL_OF
from tfreid.records.scenes import copy_scenes, find_scenes, held_out
from tfreid.records.sources import plan


def scene(path, colour=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 48), (colour, colour, colour)).save(path)
    return path


def test_two_folders_are_two_pools(raw_data, tmp_path):
    scene(tmp_path / "scenes" / "train" / "a.png", 10)
    scene(tmp_path / "scenes" / "train" / "b.png", 10)
    scene(tmp_path / "scenes" / "test" / "a.png", 200)
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks")
    source = ImageSet("market1501", given=Reading(rows), mask_vocabulary="lip20")
    options = conversion.ConversionOptions(
        backgrounds_root=tmp_path / "scenes", random_backgrounds=1
    )
    conversion.convert(plan([source], 1, 1, 0), tmp_path / "out", options)
    records = Records(tmp_path / "out")
    names = {
        split: [f"{p.parent.name}/{p.name}" for p in records.backgrounds(split)]
        for split in records.info.splits
    }
    pools = {"train": ["train/a.png", "train/b.png"], "query": ["test/a.png"]}
    assert names == pools | {"gallery": pools["query"]}
    assert len(records.backgrounds()) == 3
    assert records.background_source == "given scenes: 2 for training, 1 for the test"
    for split, colour in (("train", 10), ("query", 200), ("gallery", 200)):
        spec = InputSpec((32, 16), variant="random_background", mask_vocabulary="binary")
        (batch,) = evaluation_batches(records, split, spec, 200, seed=0).as_numpy_iterator()
        assert {*batch["image"][batch["mask"] == 0].ravel().tolist()} >= {float(colour)}
        assert abs(np.median(batch["image"][batch["mask"] == 0]) - colour) < 1
    copies = [
        record
        for record in records.store("train").columns(("image/key",))["image/key"]
        if record.endswith(b"+background1")
    ]
    assert len(copies) == 48


def test_folders_of_other_names_do_not_count(tmp_path):
    paths = [scene(tmp_path / "1.png"), scene(tmp_path / "2.webp")]
    scene(tmp_path / "old" / "3.png")
    (tmp_path / "._1.png").touch()  # As macOS leaves them on other disks.
    scene(tmp_path / "train" / "4.png")
    assert find_scenes(tmp_path) == {"": paths}


def test_scenes_of_one_folder_are_halved_between_training_and_test(raw_data, tmp_path):
    for name in "abc":
        scene(tmp_path / "scenes" / f"{name}.png", 200 if name == "c" else 10)
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks")
    source = ImageSet("market1501", given=Reading(rows), mask_vocabulary="lip20")
    options = conversion.ConversionOptions(
        backgrounds_root=tmp_path / "scenes", random_backgrounds=1
    )
    conversion.convert(plan([source], 1, 1, 0), tmp_path / "out", options)
    records = Records(tmp_path / "out")
    pools = {split: [path.name for path in records.backgrounds(split)] for split in POOL_OF}
    assert pools["train"] == ["a.png", "b.png"]
    assert pools["val"] == pools["query"] == pools["gallery"] == ["c.png"]
    assert records.background_source == "given scenes: 2 for training, 1 for the test"
    # Neither offline copies nor the augmentation show a scene of the test.
    keys = records.store("train").columns(("image/key",))["image/key"]
    copies = np.flatnonzero([key.endswith(b"+background1") for key in keys])
    for indices, variant in ((copies, "original"), (None, "random_background")):
        spec = InputSpec((128, 64), variant=variant, mask_vocabulary="binary")
        (batch,) = evaluation_batches(
            records, "train", spec, 200, seed=0, indices=indices
        ).as_numpy_iterator()
        assert len(batch["image"]) >= 48
        for image, mask in zip(batch["image"], batch["mask"], strict=True):
            assert abs(np.median(image[mask == 0]) - 10) < 1


@pytest.mark.parametrize(
    ("number", "splits", "sizes"),
    [
        (4, ("train", "val"), {"train": 2, "test": 2}),
        (4, ("query", "gallery"), {"": 4}),
        (4, ("train",), {"": 4}),
        (1, ("train", "query", "gallery"), {"": 1}),
    ],
)
def test_scenes_are_halved_only_where_both_pools_are_needed(tmp_path, number, splits, sizes):
    scenes = {"": [scene(tmp_path / f"{index}.png") for index in range(number)]}
    assert {pool: len(found) for pool, found in held_out(scenes, splits).items()} == sizes


def test_records_with_scenes_of_one_folder_keep_them_for_all_splits(raw_data, tmp_path):
    """As conversions before wrote them."""
    rows = rows_of("market1501", raw_data / "market1501")
    source = ImageSet("market1501", given=Reading(rows))
    out = tmp_path / "out"
    conversion.convert(plan([source], 1, 0, 0), out, conversion.ConversionOptions())
    paths = [scene(out / "backgrounds" / f"{name}.png") for name in "ab"]
    records = Records(out)
    assert all(records.backgrounds(split) == paths for split in records.info.splits)
    assert records.background_source == "given scenes: 2, the same for training and test"


@pytest.mark.parametrize(
    ("files", "error", "text"),
    [
        ([], MissingPathError, r"no backgrounds in .*: expected \*\.jpg, .*\*\.webp"),
        (["train/1.png"], MissingPathError, "scenes in train alone: expected some in each of"),
        (["test/1.png"], MissingPathError, "scenes in test alone"),
        (["1.png", "train/1.png", "test/1.png"], UsageError, r"and 1 beside them \(1\.png\)"),
    ],
)
def test_what_is_unclear_is_refused(tmp_path, files, error, text):
    for file in files:
        scene(tmp_path / file)
    with pytest.raises(error, match=text):
        find_scenes(tmp_path)


def test_a_scene_that_is_no_image_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_text("no image")
    with pytest.raises(DataError, match=f"unusable background: .*{re.escape(str(tmp_path))}"):
        copy_scenes(find_scenes(tmp_path / "in"), tmp_path / "out")
    with pytest.raises(MissingPathError, match="no folder of backgrounds at"):
        find_scenes(tmp_path / "none")
