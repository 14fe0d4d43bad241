"""Metadata with which `tfds.builder_from_directory` opens a converted folder."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf
import tensorflow_datasets as tfds

from tfrecords_schema import schema
from tfreid.records.records import tfds_name


def write(folder: Path, name: str, kind: str, shards: Mapping[str, Mapping[str, tuple[int, int]]]):
    """Writes `features.json` and `dataset_info.json`.

    Args:
        folder: where the shards are.
        name: data set name.
        kind: record kind.
        shards: number of records and of their bytes, by split and shard name, in order.
    """
    template = tfds.core.ShardedFileTemplate(
        data_dir=folder, dataset_name=tfds_name(name), filetype_suffix="tfrecord"
    )
    splits = [
        tfds.core.SplitInfo(
            name=split,
            shard_lengths=[records for records, _ in counts.values()],
            num_bytes=sum(size for _, size in counts.values()),
            filename_template=template.replace(split=split),
        )
        for split, counts in shards.items()
    ]
    tfds.folder_dataset.write_metadata(
        data_dir=folder,
        features=_features(kind),
        split_infos=splits,
        filename_template=template,
        version=f"{schema.version(kind)}.0.0",
        description=f"{name}: {kind} records of tfreid",
        check_data=False,
    )


def _features(kind: str) -> tfds.features.FeaturesDict:
    """The schema's features in TFDS's words, where `image/key` is `key` in the dict `image`."""
    nested: dict[str, dict[str, object]] = {}
    for field in schema.fields(kind).values():
        group, leaf = field.name.split("/")
        nested.setdefault(group, {})[leaf] = _feature(field)
    return tfds.features.FeaturesDict(nested)


def _feature(field: schema.Field) -> object:
    if field.is_int:
        return tfds.features.Scalar(tf.int64)
    if field.name == "image/encoded":
        return tfds.features.Image(shape=(None, None, 3))
    return tfds.features.Scalar(tf.string)  # a mask may be empty, hence no Image
