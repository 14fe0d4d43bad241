"""Random access to the records of a split."""

import functools
import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfrecords_schema import schema
from tfreid.errors import DataError
from tfreid.records import framing

_COLUMN_CHUNK_RECORDS = 2048


class RecordStore:
    """The records of some shards, by index, over memory-mapped files.

    Records are numbered in the order of the shards and of the records in them. Opening walks
    the record headers only; payloads are read, and their checksums verified, when asked for.
    Reading is safe from several threads.
    """

    def __init__(self, kind: str, shards: Sequence[Path]):
        """Opens the shards.

        Args:
            kind: record kind, `reid` or `parsing`.
            shards: paths of TFRecord files.

        Raises:
            DataError: if a shard is truncated or damaged.
        """
        self.kind = kind
        self._paths = list(shards)
        self._maps = [_map(path) for path in self._paths]
        spans = [framing.payload_spans(*pair) for pair in zip(self._maps, self._paths, strict=True)]
        self._spans = np.concatenate([np.empty((0, 2), np.int64), *spans])
        self._shard_of = np.repeat(np.arange(len(spans)), [len(span) for span in spans])

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self._spans)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Reads records.

        Args:
            indices: int64 `[n]`, each in `[0, len(self))`.

        Returns:
            object `[n]`: the serialised examples, as bytes, in the order asked for.

        Raises:
            DataError: if a record's checksum does not match.
        """
        records = np.empty(len(indices), dtype=object)
        for position, index in enumerate(indices):
            shard = self._shard_of[index]
            start, length = self._spans[index].tolist()
            records[position] = framing.read_payload(
                self._maps[shard], start, length, self._paths[shard]
            )
        return records

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Reads some features of all records, without decoding images.

        Args:
            names: feature names of the schema, for example `("person/label", "image/key")`.

        Returns:
            One array `[len(self)]` a name, in record order: int64 or object (bytes).
        """
        import tensorflow as tf

        spec = schema.parse_spec(self.kind)
        asked = {name: spec[name] for name in names}
        chunks = []
        for start in range(0, len(self), _COLUMN_CHUNK_RECORDS):
            stop = min(start + _COLUMN_CHUNK_RECORDS, len(self))
            records = self.read(np.arange(start, stop))
            chunks.append(self._parse(tf, records, asked))
        empty = {name: np.empty(0, spec[name].dtype.as_numpy_dtype) for name in names}
        return {
            name: np.concatenate([empty[name], *(chunk[name] for chunk in chunks)])
            for name in names
        }

    @property
    def largest_image_px(self) -> tuple[int, int]:
        """The greatest height and the greatest width of an image."""
        return tuple(self._sizes_px.max(axis=0).tolist())

    @property
    def alike_px(self) -> tuple[int, int] | None:
        """Height and width of the images where all are alike, None where they are not."""
        first = self._sizes_px[0]
        return tuple(first.tolist()) if (self._sizes_px == first).all() else None

    @functools.cached_property
    def _sizes_px(self) -> np.ndarray:
        """Height and width of each image, int64 `[len(self), 2]`, read once from all records."""
        return np.stack(list(self.columns(("image/height", "image/width")).values()), axis=1)

    def _parse(self, tf, records: np.ndarray, asked: dict) -> dict[str, np.ndarray]:
        try:
            parsed = tf.io.parse_example(tf.constant(records), asked)
        except tf.errors.InvalidArgumentError as error:
            raise DataError(
                f"records of {self._paths[0].parent} do not follow the {self.kind} schema, "
                f"version {schema.version(self.kind)}: {error.message}. Re-run the conversion."
            ) from error
        return {name: value.numpy() for name, value in parsed.items()}


def _map(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""  # an empty file cannot be memory-mapped
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
