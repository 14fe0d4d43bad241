"""Entries of a shard on their way to the workers."""

import json

import pytest

from tfreid.datasets.cuhk03_mat import MatImage
from tfreid.datasets.parts import Box, RunLengths
from tfreid.records.entries import Entry
from tfreid.records.manifest import read_manifest, remove_manifest, write_manifest

BOX = Box(-1, 2, 30, 40)
ENTRIES = [
    Entry("a.jpg", None, None, None, "", 0, {"image/key": "a", "person/id": 2**60}),
    Entry("b\udcff.jpg", BOX, "m", RunLengths(9, 8, b"\x00\xffx", BOX), "binary", 2, {}),
    Entry("c.mat", MatImage("labeled", 1, 2, 3), None, None, "lip20", 0, {"dataset/name": "ü"}),
]


def test_entries_are_read_as_they_were_written(tmp_path):
    write_manifest(tmp_path, "shard", ENTRIES)
    assert list(read_manifest(tmp_path, "shard")) == ENTRIES
    remove_manifest(tmp_path, "shard")
    assert not list(tmp_path.iterdir())


def test_only_parts_are_made(tmp_path):
    write_manifest(tmp_path, "shard", ENTRIES[1:2])
    (path,) = tmp_path.iterdir()
    values = json.loads(path.read_text())
    values["image_part"] = ["os", "system", {"command": "true"}]
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"os\.system is no part"):
        list(read_manifest(tmp_path, "shard"))
