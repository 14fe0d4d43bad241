"""A converted data set on disk."""

from pathlib import Path

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records.info import DATASET_JSON, RecordsInfo
from tfreid.records.store import RecordStore

BACKGROUNDS = "backgrounds"


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

    def backgrounds(self) -> list[Path]:
        """Returns the background images that came with the data set, sorted by name."""
        return sorted((self.path / BACKGROUNDS).glob("*"))

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
