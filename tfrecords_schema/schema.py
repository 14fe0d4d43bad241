"""Loads the record schemas and encodes, decodes and parses records by them.

The two `.pbtxt` files beside this module are `tensorflow_metadata` Schema protos and the only
place where the features of a record are listed. Every feature holds exactly one value.

This module imports TensorFlow only for the parse spec, so that conversion workers start quickly:
records are encoded with TFDS's copy of the `tf.train.Example` messages, whose bytes are the same.
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow_datasets.proto import tf_example_pb2, tf_feature_pb2
from tensorflow_metadata.proto.v0 import schema_pb2

from tfreid.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

KINDS = ("reid", "parsing")

Value = bytes | str | int


@dataclasses.dataclass(frozen=True)
class Field:
    """One feature of a record, as the schema declares it.

    Attributes:
        name: feature name, for example `image/encoded`.
        is_int: whether the value is an int64; otherwise it is bytes.
        is_image: whether the bytes are an encoded image; other bytes are UTF-8 text.
        minimum: smallest integer allowed, or None.
        values: texts allowed, empty for any.
    """

    name: str
    is_int: bool
    is_image: bool
    minimum: int | None
    values: frozenset[str]

    def check(self, value: Value) -> None:
        """Raises `DataError` if the value is of another type or outside the domain."""
        expected = int if self.is_int else (bytes if self.is_image else str)
        if type(value) is not expected:
            raise DataError(
                f"{self.name}: expected {expected.__name__}, found {type(value).__name__}"
            )
        if self.minimum is not None and value < self.minimum:
            raise DataError(f"{self.name}: expected at least {self.minimum}, found {value}")
        if self.values and value not in self.values:
            raise DataError(f"{self.name}: expected one of {sorted(self.values)}, found {value!r}")


@functools.cache
def load(kind: str) -> schema_pb2.Schema:
    """Reads the schema of a record kind.

    Args:
        kind: `reid` or `parsing`.

    Returns:
        The Schema proto; treat it as read-only.

    Raises:
        ValueError: if there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown record kind {kind!r}: expected one of {', '.join(KINDS)}")
    text = Path(__file__).with_name(f"{kind}.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, schema_pb2.Schema())


@functools.cache
def version(kind: str) -> int:
    """Returns the version of a record kind's schema, from its `version:` annotation."""
    tags = dict(tag.split(":", 1) for tag in load(kind).annotation.tag)
    return int(tags["version"])


@functools.cache
def fields(kind: str) -> dict[str, Field]:
    """Returns the features of a record kind by name, in the schema's order."""
    return {feature.name: _field(feature) for feature in load(kind).feature}


def _field(feature: schema_pb2.Feature) -> Field:
    domain = feature.WhichOneof("domain_info")
    return Field(
        name=feature.name,
        is_int=feature.type == schema_pb2.INT,
        is_image=domain == "image_domain",
        minimum=feature.int_domain.min if domain == "int_domain" else None,
        values=frozenset(feature.string_domain.value),
    )


def parse_spec(kind: str) -> "dict[str, tf.io.FixedLenFeature]":
    """Returns the features for `tf.io.parse_example`: scalars of `tf.int64` or `tf.string`."""
    import tensorflow as tf

    return {
        name: tf.io.FixedLenFeature([], tf.int64 if field.is_int else tf.string)
        for name, field in fields(kind).items()
    }


def encode(kind: str, values: Mapping[str, Value]) -> bytes:
    """Serialises one record as a `tf.train.Example`.

    Args:
        kind: `reid` or `parsing`.
        values: one value for each feature of the schema; texts as str, images as bytes.

    Returns:
        The serialised example; the same values give the same bytes.

    Raises:
        DataError: if a feature is missing or unknown, of another type, or outside its domain.
    """
    spec = fields(kind)
    _check_names(kind, values)
    example = tf_example_pb2.Example()
    features = example.features.feature
    for name, field in spec.items():
        value = values[name]
        field.check(value)
        if field.is_int:
            features[name].int64_list.value.append(value)
        else:
            data = value if field.is_image else value.encode("utf-8")
            features[name].bytes_list.value.append(data)
    return example.SerializeToString(deterministic=True)


def decode(kind: str, record: bytes) -> dict[str, Value]:
    """Parses and validates one record; the inverse of `encode`.

    Args:
        kind: `reid` or `parsing`.
        record: a serialised `tf.train.Example`.

    Returns:
        One value for each feature of the schema; texts as str, images as bytes.

    Raises:
        DataError: if the bytes are no example, or the example does not follow the schema.
    """
    try:
        features = tf_example_pb2.Example.FromString(record).features.feature
    except DecodeError as error:
        raise DataError(f"the record is not a serialised tf.train.Example: {error}") from error
    _check_names(kind, features)
    return {name: _decode_value(field, features[name]) for name, field in fields(kind).items()}


def _decode_value(field: Field, feature: tf_feature_pb2.Feature) -> Value:
    expected = "int64_list" if field.is_int else "bytes_list"
    found = feature.WhichOneof("kind")
    if found != expected:
        raise DataError(f"{field.name}: expected {expected}, found {found}")
    values = getattr(feature, expected).value
    if len(values) != 1:
        raise DataError(f"{field.name}: expected one value, found {len(values)}")
    value = values[0]
    if not (field.is_int or field.is_image):
        value = value.decode("utf-8", errors="replace")
    field.check(value)
    return value


def _check_names(kind: str, values: Mapping[str, object]) -> None:
    spec = fields(kind)
    missing = [name for name in spec if name not in values]
    unknown = [name for name in values if name not in spec]
    if missing or unknown:
        raise DataError(
            f"the record does not follow the {kind} schema, version {version(kind)}: "
            f"missing features {missing or 'none'}, unknown features {unknown or 'none'}"
        )
