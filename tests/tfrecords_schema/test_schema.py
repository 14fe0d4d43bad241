import subprocess
import sys

import pytest
import tensorflow as tf

from tfrecords_schema import schema
from tfreid.errors import DataError


def reid_values(**changes):
    values = {
        "image/encoded": b"\xff\xd8jpeg",
        "image/key": "market1501/query/0001_c1s1_001051_00",
        "image/height": 128,
        "image/width": 64,
        "person/id": -1,
        "person/label": -1,
        "camera/id": 3,
        "camera/label": 2,
        "dataset/name": "market1501",
        "dataset/split": "query",
        "mask/encoded": b"",
        "mask/vocabulary": "",
    }
    return values | {name.replace("__", "/"): value for name, value in changes.items()}


def parsing_values():
    names = schema.fields("parsing")
    return {k: v for k, v in reid_values().items() if k in names} | {
        "dataset/split": "val",
        "mask/encoded": b"png",
        "mask/vocabulary": "lip20",
    }


VALUES = {"reid": reid_values(), "parsing": parsing_values()}


@pytest.mark.parametrize("kind", schema.KINDS)
def test_decode_inverts_encode(kind):
    record = schema.encode(kind, VALUES[kind])
    assert schema.decode(kind, record) == VALUES[kind]
    assert schema.encode(kind, dict(reversed(VALUES[kind].items()))) == record


@pytest.mark.parametrize("kind", schema.KINDS)
def test_tensorflow_reads_the_same_values(kind):
    record = schema.encode(kind, VALUES[kind])
    example = tf.train.Example.FromString(record)
    assert set(example.features.feature) == set(VALUES[kind])
    parsed = tf.io.parse_single_example(record, schema.parse_spec(kind))
    for name, value in VALUES[kind].items():
        expected = value.encode() if isinstance(value, str) else value
        assert parsed[name].numpy() == expected


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_feature_is_a_required_scalar(kind):
    assert schema.version(kind) == 1
    for feature in schema.load(kind).feature:
        assert feature.presence.min_fraction == 1
        assert feature.HasField("shape")
        assert not feature.shape.dim


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image__height": 0}, "image/height: expected at least 1, found 0"),
        ({"image__width": 64.0}, "image/width: expected int, found float"),
        ({"image__encoded": "text"}, "image/encoded: expected bytes, found str"),
        ({"dataset__split": "test"}, r"dataset/split: expected one of .*'test'"),
        ({"mask__vocabulary": "coco"}, r"mask/vocabulary: expected one of .*'coco'"),
        ({"person__age": 30}, r"unknown features \['person/age'\]"),
    ],
)
def test_encode_refuses_what_the_schema_does_not_allow(changes, message):
    with pytest.raises(DataError, match=message):
        schema.encode("reid", reid_values(**changes))


def test_encode_names_missing_features():
    values = reid_values()
    del values["camera/id"]
    with pytest.raises(DataError, match=r"missing features \['camera/id'\]"):
        schema.encode("reid", values)


def test_decode_refuses_damaged_and_foreign_records():
    with pytest.raises(DataError, match=r"not a serialised tf\.train\.Example"):
        schema.decode("reid", b"\x0a\xff")
    with pytest.raises(DataError, match="missing features"):
        schema.decode("reid", schema.encode("parsing", VALUES["parsing"]))


def test_unknown_kind():
    with pytest.raises(ValueError, match="expected one of reid, parsing"):
        schema.load("faces")


def test_encoding_does_not_import_tensorflow():
    code = "import sys; from tfrecords_schema import schema; schema.load('reid'); "
    code += "sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code]).returncode == 0
