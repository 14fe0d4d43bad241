import json

import numpy as np
import pytest
import tensorflow as tf

from tfrecords_schema import schema
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records import Records, RecordsInfo, framing


def test_framing_is_tensorflows(tmp_path):
    payloads = [b"", b"a", b"person" * 1000]
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for payload in payloads:
            writer.write(payload)
    assert b"".join(map(framing.frame, payloads)) == (tmp_path / "theirs").read_bytes()


def test_info_round_trip(tiny_folder):
    info = Records(tiny_folder).info
    info.write(tiny_folder)
    assert RecordsInfo.read(tiny_folder) == info
    assert info.splits["train"].records == 7
    assert info.camera_labels == {"tiny": {1: 0, 2: 1}}
    assert info.mean_pixel == (1.0, 2.5, 3.0)
    assert not info.has_masks("train")


def test_read_returns_records_in_the_order_asked_for(tiny_folder):
    store = Records(tiny_folder).store("train")
    assert len(store) == 7
    records = store.read(np.array([6, 0, 3, 3]))
    assert [schema.decode("reid", r)["person/id"] for r in records] == [6, 0, 3, 3]
    dataset = tf.data.TFRecordDataset([str(p) for p in Records(tiny_folder).shards("train")])
    assert list(dataset.as_numpy_iterator()) == store.read(np.arange(7)).tolist()


def test_columns(tiny_folder):
    columns = Records(tiny_folder).store("train").columns(["person/label", "image/key"])
    assert columns["person/label"].dtype == np.int64
    np.testing.assert_array_equal(columns["person/label"], np.arange(7))
    assert columns["image/key"][5] == b"tiny/train/0005"


def test_store_is_opened_once(tiny_folder):
    folder = Records(tiny_folder)
    assert folder.store("train") is folder.store("train")


@pytest.mark.parametrize("missing_bytes", [1, 3, 30, 150])
def test_truncated_shard(tiny_folder, missing_bytes):
    folder = Records(tiny_folder)
    path = folder.shards("train")[1]
    spans = framing.payload_spans(path.read_bytes(), path)
    path.write_bytes(path.read_bytes()[:-missing_bytes])
    with pytest.raises(DataError, match=r"00001-of-00002.*at byte (\d+).*re-run the conv") as error:
        folder.store("train")
    offsets = [start - framing.HEADER_BYTES for start, _ in spans.tolist()]
    assert any(f"at byte {offset}." in str(error.value) for offset in offsets)


def test_shard_cut_between_records(tiny_folder):
    folder = Records(tiny_folder)
    path = folder.shards("train")[1]
    start, _ = framing.payload_spans(path.read_bytes(), path)[-1]
    path.write_bytes(path.read_bytes()[: start - framing.HEADER_BYTES])
    with pytest.raises(DataError, match="should hold 7 records and holds 6"):
        folder.store("train")


def test_changed_payload_and_header(tiny_folder):
    folder = Records(tiny_folder)
    path = folder.shards("train")[0]
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="checksum of a record does not match, at byte 12"):
        folder.store("train").read(np.array([0]))
    data[0] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="checksum of a record header does not match, at byte 0"):
        Records(tiny_folder).store("train")


def test_records_that_are_no_examples(tiny_folder):
    folder = Records(tiny_folder)
    for path in folder.shards("train"):
        count = len(framing.payload_spans(path.read_bytes(), path))
        path.write_bytes(framing.frame(b"") * count)
    with pytest.raises(DataError, match=r"do not follow the reid schema, version 1"):
        folder.store("train").columns(["person/label"])


def test_other_schema_version(tiny_folder):
    path = tiny_folder / "dataset.json"
    values = json.loads(path.read_text()) | {"schema_version": 7, "more": "fields"}
    del values["checksum"]
    path.write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"schema version 7, this release reads version 1\. Re-run"):
        Records(tiny_folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "reid", "schema_version": 1}'])
def test_damaged_description(tiny_folder, text):
    (tiny_folder / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=r"dataset\.json is (not the description|damaged)"):
        Records(tiny_folder)


def test_missing_folder_description_split_and_shard(tiny_folder):
    with pytest.raises(MissingPathError, match="there is no such folder"):
        Records(tiny_folder / "nothing")
    (tiny_folder / "empty").mkdir()
    with pytest.raises(MissingPathError, match=r"holds no dataset\.json"):
        Records(tiny_folder / "empty")
    folder = Records(tiny_folder)
    with pytest.raises(UsageError, match="has no split 'query': it has train"):
        folder.store("query")
    folder.shards("train")[1].unlink()
    with pytest.raises(DataError, match="00001-of-00002 missing"):
        folder.store("train")


def test_empty_split(tiny_folder):
    folder = Records(tiny_folder)
    for path in folder.shards("train"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="should hold 7 records and holds 0"):
        folder.store("train")
