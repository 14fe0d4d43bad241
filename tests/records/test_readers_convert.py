"""Every data set's miniature, from its files on the disk to TFRecords and back."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tests.datasets.miniatures import MINIATURES
from tfrecords_schema import schema
from tfreid.records import ImageSet, Records, conversion
from tfreid.records.sources import plan


def pixels(path, part):
    """Decodes what a row names; masks stay the class indices that they are."""
    return part.pixels(path) if part else np.asarray(Image.open(path))


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def records_of(folder, split):
    store = folder.store(split)
    return [schema.decode(folder.info.kind, r) for r in store.read(np.arange(len(store)))]


@pytest.mark.parametrize("name", MINIATURES)
def test_records_are_what_the_reader_names(name, tmp_path):
    source = ImageSet(name, MINIATURES[name](tmp_path / "a folder"))
    info = conversion.convert(
        plan([source], 1, 0, 0), tmp_path / "out", conversion.ConversionOptions()
    )
    assert {split: found.records for split, found in info.splits.items()} == Counter(
        row.split for row in source.rows
    )
    folder = Records(tmp_path / "out")
    records = {r["image/key"]: r for split in info.splits for r in records_of(folder, split)}
    assert len(records) == len(source.rows)
    for row in source.rows:
        record = records[row.key]
        assert record["dataset/split"] == row.split
        image = decoded(record["image/encoded"])
        np.testing.assert_array_equal(image, pixels(row.image_path, row.image_part))
        if source.kind == "reid":
            assert (record["person/id"], record["camera/id"]) == (row.person_id, row.camera_id)
        if row.mask_path:
            mask = decoded(record["mask/encoded"])
            np.testing.assert_array_equal(mask, pixels(row.mask_path, row.mask_part))
