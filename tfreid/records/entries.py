"""What is known of a record before its files are opened."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfreid.datasets import ParsingRow, Row
from tfreid.datasets.parts import Part
from tfreid.datasets.row import NO_CAMERA_ID
from tfreid.records.image_set import ImageSet
from tfreid.records.mask_maker import MaskMaker

TRAIN = "train"


@dataclass(frozen=True)
class Entry:
    """A record to be written: what is known of it before its files are opened.

    Attributes:
        image_path: the image file.
        image_part: where in that file the image lies; None for the whole file.
        mask_path: the mask file, where there is one.
        mask_part: where in that file the mask lies; None for the whole file.
        mask_vocabulary: vocabulary of that mask in its file, or of the one that a parser is to
            make; empty for no mask.
        copy: 0 for the image itself, n for its n-th copy on a random background.
        features: the features that come from the row, by the schema's names.
    """

    image_path: str
    image_part: Part | None
    mask_path: str | None
    mask_part: Part | None
    mask_vocabulary: str
    copy: int
    features: dict[str, str | int]

    @property
    def key(self) -> str:
        """The record's key."""
        return str(self.features["image/key"])


@dataclass(frozen=True)
class Numbered:
    """A data set with the labels and ID offsets that it has in the joint set.

    Attributes:
        images: the data set.
        person_labels: label by published person ID.
        camera_labels: label by published camera ID.
        person_offset: what is added to the IDs of persons.
        camera_offset: what is added to the IDs of cameras.
        parser: makes masks of the images that have none, where there is one.
    """

    images: ImageSet
    person_labels: dict[int, int]
    camera_labels: dict[int, int]
    person_offset: int
    camera_offset: int
    parser: MaskMaker | None

    def entry(self, row: Row | ParsingRow, copy: int) -> Entry:
        """Returns what is to be written of a row, or of its n-th copy on a random background."""
        return Entry(
            row.image_path,
            row.image_part,
            row.mask_path,
            row.mask_part,
            self.vocabulary(row),
            copy,
            self._features(row, copy_key(row.key, copy)),
        )

    def vocabulary(self, row: Row | ParsingRow) -> str:
        """Returns the vocabulary of a row's mask, or of the one that the parser is to make."""
        made = self.parser.vocabulary if self.parser else ""
        return self.images.vocabulary if row.mask_path else made

    def _features(self, row: Row | ParsingRow, key: str) -> dict[str, str | int]:
        features: dict[str, str | int] = {
            "image/key": key,
            "dataset/name": self.images.dataset,
            "dataset/split": row.split,
        }
        if isinstance(row, ParsingRow):
            return features
        trained = row.split == TRAIN
        has_camera = row.camera_id != NO_CAMERA_ID
        return features | {
            "person/id": row.person_id + (self.person_offset if row.is_person else 0),
            "person/label": self.person_labels.get(row.person_id, -1) if trained else -1,
            "camera/id": row.camera_id + (self.camera_offset if has_camera else 0),
            "camera/label": self.camera_labels.get(row.camera_id, -1),
        }


@dataclass(frozen=True, eq=False)
class ShardEntries(Sequence):
    """The entries of a shard, each made when it is asked for: of a million, all take gigabytes.

    Attributes:
        rows: rows of the split, each with its data set.
        copies: entries that each row has.
        places: of this shard's entries among those of all rows, int64 `[entries]`.
    """

    rows: Sequence[tuple[Numbered, Row | ParsingRow]]
    copies: int
    places: np.ndarray

    def __len__(self) -> int:
        """Returns the number of entries."""
        return len(self.places)

    def __getitem__(self, index: int) -> Entry:
        """Returns the entry at a place of this shard."""
        row, copy = divmod(int(self.places[index]), self.copies)
        source, found = self.rows[row]
        return source.entry(found, copy)


def copy_key(key: str, copy: int) -> str:
    """Returns the key of an image's n-th copy on a random background; 0 is the image itself."""
    return f"{key}+background{copy}" if copy else key


def key_hash(key: str, seed: int) -> int:
    """Returns a 64-bit hash of a record's key, the same everywhere."""
    data = f"{seed}/{key}".encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
