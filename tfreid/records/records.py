"""A converted data set on disk."""

from pathlib import Path

import numpy as np

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records.info import DATASET_JSON, RecordsInfo
from tfreid.records.store import RecordStore

BACKGROUNDS = "backgrounds"
POOL_OF = {"train": "train", "val": "test", "query": "test", "gallery": "test"}
"""Split -> pool of backgrounds, where training and test have pools of their own."""


def shard_name(name: str, split: str, shard: int, shards: int) -> str:
    """Returns the file name of a shard, in the form that TFDS recognises."""
    return f"{tfds_name(name)}-{split}.tfrecord-{shard:05d}-of-{shards:05d}"


def tfds_name(name: str) -> str:
    """Returns the name under which TFDS knows a data set: it wants a letter first."""
    return name if name[0].isalpha() else f"reid_{name}"


class Records:
    """A folder that the conversion wrote.

    Attributes:
        path: the folder.
        info: its `dataset.json`.
    """

    def __init__(self, path: str | Path):
        """Opens a converted folder.

        Raises:
            MissingPathError: if there is no converted data set at the path.
            DataError: if its description is damaged or of another schema version.
        """
        self.path = Path(path)
        if not self.path.is_dir():
            raise MissingPathError(f"no converted data set at {self.path}: there is no such folder")
        if not (self.path / DATASET_JSON).is_file():
            raise MissingPathError(
                f"{self.path} is not a converted data set: it holds no {DATASET_JSON}. "
                "Give the folder that python -m tfreid.convert wrote."
            )
        self.info = RecordsInfo.read(self.path)
        self._stores: dict[str, RecordStore] = {}

    def shards(self, split: str) -> list[Path]:
        """Returns the paths of a split's TFRecord files, in order.

        Raises:
            UsageError: if the data set has no such split.
            DataError: if a file is missing.
        """
        if split not in self.info.splits:
            raise UsageError(
                f"{self.path} has no split {split!r}: it has {', '.join(self.info.splits)}"
            )
        count = self.info.splits[split].shards
        paths = [self.path / shard_name(self.info.name, split, i, count) for i in range(count)]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise DataError(
                f"{self.path} is incomplete: {', '.join(missing)} missing. Re-run the conversion."
            )
        return paths

    def serves(self, kind: str) -> bool:
        """Tells whether records can be used as those of a kind.

        A parsing network learns from images with masks, whatever else they say.

        Args:
            kind: `reid` or `parsing`.
        """
        return self.info.kind == kind or (kind == "parsing" and bool(self.info.mask_vocabulary))

    def backgrounds(self, split: str | None = None) -> list[Path]:
        """Returns the background images that came with the data set, sorted by name.

        Args:
            split: whose images they are for, which counts where training and test have pools of
                their own; None for all.
        """
        folder = self.path / BACKGROUNDS
        pools = [pool for pool in dict.fromkeys(POOL_OF.values()) if (folder / pool).is_dir()]
        if not pools:
            return sorted(folder.glob("*"))
        wanted = pools if split is None else [POOL_OF.get(split)]
        return sorted(
            path for pool in pools if pool in wanted for path in (folder / pool).glob("*")
        )

    @property
    def background_source(self) -> str:
        """What the backgrounds are, in words; `none` where there are none."""
        count = len(self.backgrounds())
        if not count:
            return "none"
        pools = [len(self.backgrounds(split)) for split in ("train", "query")]
        converted = {POOL_OF.get(split) for split in self.info.splits}
        what = "given scenes"
        if self.info.own_backgrounds:
            what = (
                "pictures of this data set, from which the persons were removed by inpainting; an "
                "image gets one of another person and, where there is one, of another camera"
            )
        if pools[0] + pools[1] > count and len(converted) == 1:
            return f"{what}: {count:,}"
        if pools[0] + pools[1] > count:
            return f"{what}: {count:,}, the same for training and test"
        words = (f"{pools[0]:,} for training", f"{pools[1]:,} for the test")
        return f"{what}: {', '.join(w for w, n in zip(words, pools, strict=True) if n)}"

    def masked(self, split: str) -> np.ndarray:
        """Returns which records of a split carry a mask, bool `[records]`."""
        counts = self.info.splits[split]
        if counts.with_mask in (0, counts.records):
            return np.full(counts.records, counts.with_mask > 0)
        vocabularies = self.store(split).columns(("mask/vocabulary",))["mask/vocabulary"]
        return vocabularies != b""

    def store(self, split: str) -> RecordStore:
        """Opens a split for random access; asked again, gives the same store.

        Raises:
            UsageError: if the data set has no such split.
            DataError: if a shard is missing or damaged, or the split has no records.
        """
        if split not in self._stores:
            self._stores[split] = self._open(split)
        return self._stores[split]

    def _open(self, split: str) -> RecordStore:
        store = RecordStore(self.info.kind, self.shards(split))
        expected = self.info.splits[split].records
        if len(store) != expected:
            raise DataError(
                f"{self.path}: split {split!r} should hold {expected} records and holds "
                f"{len(store)}. Re-run the conversion."
            )
        if not len(store):
            raise DataError(f"{self.path}: split {split!r} is empty. Re-run the conversion.")
        return store
