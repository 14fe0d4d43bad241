import numpy as np
import pytest

from tfrecords_schema import schema
from tfreid.records import RecordsInfo, SplitInfo, framing
from tfreid.records.records import shard_name


def example(index, split="train"):
    """A record whose person is `index`, without a real image."""
    return schema.encode(
        "reid",
        {
            "image/encoded": bytes([index]) * (10 + index),
            "image/key": f"tiny/{split}/{index:04d}",
            "image/height": 8,
            "image/width": 4,
            "person/id": index,
            "person/label": index,
            "camera/id": 1 + index % 2,
            "camera/label": index % 2,
            "dataset/name": "tiny",
            "dataset/split": split,
            "mask/encoded": b"",
            "mask/vocabulary": "",
        },
    )


def info(records, shards, **changes):
    values = {
        "name": "tiny",
        "kind": "reid",
        "schema_version": schema.version("reid"),
        "splits": {"train": SplitInfo(records, records, 2, shards, 0)},
        "num_persons": records,
        "num_cameras": 2,
        "mean_pixel": (1.0, 2.5, 3.0),
        "mask_vocabulary": "",
        "synthetic": False,
        "fingerprint": "f00",
        "person_labels": {"tiny": {i: i for i in range(records)}},
        "camera_labels": {"tiny": {1: 0, 2: 1}},
        "made_by": {"version": "0"},
    }
    return RecordsInfo(**values | changes)


@pytest.fixture
def tiny_folder(tmp_path):
    """A folder of 7 records in 2 shards, written without the conversion."""
    records = [example(i) for i in range(7)]
    for shard, part in enumerate(np.array_split(np.arange(7), 2)):
        path = tmp_path / shard_name("tiny", "train", shard, 2)
        path.write_bytes(b"".join(framing.frame(records[i]) for i in part))
    info(7, 2).write(tmp_path)
    return tmp_path
