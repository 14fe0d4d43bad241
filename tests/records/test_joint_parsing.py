"""Parsers' data sets of different vocabularies, from the disk to one batch (PGP, stage I)."""

import json

import numpy as np
import pytest

from tests.datasets.miniatures import MINIATURES
from tfreid.datasets import lookup
from tfreid.inputs import InputSpec, training_batches
from tfreid.records import ImageSet, Records, conversion
from tfreid.records.sources import plan


def converted(names, tmp_path):
    sources = [ImageSet(name, MINIATURES[name](tmp_path / name)) for name in names]
    conversion.convert(plan(sources, 1, 0, 0), tmp_path / "out", conversion.ConversionOptions())
    return sources, Records(tmp_path / "out")


def expected_masks(sources, vocabulary, size_px):
    """The training masks of that size in the wanted classes, by key."""
    from PIL import Image

    masks = {}
    for source in sources:
        table = np.array(lookup(source.vocabulary, vocabulary))
        for row in source.rows:
            if row.split == "train":
                part = row.mask_part
                mask = part.pixels(row.mask_path) if part else np.asarray(Image.open(row.mask_path))
                masks[row.key] = table[mask]
    return {key: mask for key, mask in masks.items() if mask.shape == size_px}


@pytest.mark.parametrize(
    ("names", "vocabulary"),
    [
        (("lip", "human_parsing"), "regions4"),
        (("lip", "human_parsing", "coco_person"), "binary"),
    ],
)
def test_masks_of_all_sources_reach_a_batch_in_one_vocabulary(names, vocabulary, tmp_path):
    sources, folder = converted(names, tmp_path)
    assert folder.info.mask_vocabulary == vocabulary
    sizes = {"regions4": (32, 16), "binary": (80, 80)}  # of the last source's masks
    wanted = expected_masks(sources, vocabulary, sizes[vocabulary])
    spec = InputSpec(sizes[vocabulary], mask_vocabulary=vocabulary)
    records = folder.info.splits["train"].records
    batches = training_batches(folder, "train", spec, batch_size=records, seed=0, steps=1)
    (batch,) = batches.as_numpy_iterator()
    found = {key.decode(): mask for key, mask in zip(batch["key"], batch["mask"], strict=True)}
    assert {key.partition("/")[0] for key in found} == set(names)
    for key, mask in wanted.items():
        np.testing.assert_array_equal(found[key], mask)
    assert wanted


def test_dataset_json_says_what_the_masks_were_and_how_they_were_split(tmp_path):
    _, folder = converted(("lip", "human_parsing"), tmp_path)
    sources = json.loads((folder.path / "dataset.json").read_text())["sources"]
    assert {name: source["mask_vocabulary"] for name, source in sources.items()} == {
        "lip": "lip20",
        "human_parsing": "atr18",
    }
    assert sources["lip"]["split"] is None
    assert sources["human_parsing"]["split"] == {
        "index": 0,
        "of": 1,
        "seed": 0,
        "test_persons": [],
    }
    assert folder.info.splits["val"].records == 2
