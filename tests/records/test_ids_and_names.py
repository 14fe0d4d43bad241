"""Numbers of persons and cameras, up to 63 bits, and their names survive the conversion."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets.hand_made import write_image
from tfreid.datasets import Reading, Row
from tfreid.errors import DataError
from tfreid.inputs import InputSpec, evaluation_batches
from tfreid.records import ImageSet
from tfreid.records.conversion import ConversionOptions, convert
from tfreid.records.records import Records
from tfreid.records.sources import plan

# In 32 bits these are 11, 0 (a distractor) and -1 (junk).
PERSONS = (11, 2**32 + 11, 2**32, 2**32 - 1, 2**63 - 1)


def image_set(folder, name, persons):
    rows = [
        Row(str(write_image(folder / f"{p}_{s}.jpg")), p, 2**40 + c, s, f"{name}/{s}/{p}")
        for p in persons
        for c, s in enumerate(("query", "gallery"))
    ]
    return ImageSet(name, given=Reading(rows))


def test_evaluation_reads_the_published_ids(tmp_path):
    convert(
        plan([image_set(tmp_path, "big", PERSONS)], shards=1, copies=0, seed=0),
        tmp_path / "out",
        ConversionOptions(),
    )
    batches = evaluation_batches(
        Records(tmp_path / "out"), "query", InputSpec(image_size_px=(8, 4)), 2, seed=0
    )
    seen = {
        name: np.concatenate([batch[name] for batch in batches.as_numpy_iterator()]).tolist()
        for name in ("person_id", "camera_id")
    }
    assert sorted(seen["person_id"]) == sorted(PERSONS)
    assert set(seen["camera_id"]) == {2**40}


def test_names_are_kept_in_dataset_json(tmp_path):
    given = image_set(tmp_path, "big", PERSONS[:1]).given
    names = {"person_names": {11: "ann"}, "camera_names": {2**40: "door", 2**40 + 1: "Tür"}}
    source = ImageSet("big", given=replace(given, **names))
    convert(plan([source], shards=1, copies=0, seed=0), tmp_path / "out", ConversionOptions())
    kept = Records(tmp_path / "out").info.sources["big"]
    assert (kept.person_names, kept.camera_names) == tuple(names.values())


def test_a_joint_set_beyond_63_bits_is_refused(tmp_path):
    sets = [image_set(tmp_path / name, name, (2**62,)) for name in "abc"]
    with pytest.raises(DataError, match=r"IDs of a and b together exceed 63 bits"):
        plan(sets, shards=1, copies=0, seed=0)
