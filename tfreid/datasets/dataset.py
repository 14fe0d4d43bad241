"""The description of a data set: what it is, where it comes from and how it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tfreid.datasets.row import ParsingRow, Row

REID_SPLITS = ("train", "query", "gallery")
PARSING_SPLITS = ("train", "val")


@dataclass(frozen=True)
class SplitCounts:
    """Counts of one split; `None` where nothing is published or nothing can be counted.

    Attributes:
        images: Image files, junk and distractors included.
        persons: Different persons, junk and distractors not counted.
        cameras: Different cameras.
        junk: Images with person ID -1.
        distractors: Images with person ID 0.
    """

    images: int
    persons: int | None = None
    cameras: int | None = None
    junk: int | None = None
    distractors: int | None = None


@dataclass(frozen=True)
class Dataset:
    """A data set that the toolkit can read.

    Attributes:
        name: As given to `--dataset`.
        title: As people call it, in one line.
        kind: `reid` (rows are `Row`) or `parsing` (rows are `ParsingRow`).
        obtain: How a user gets it.
        licence: What is known about the terms of use.
        read: Lists the rows under a path, sorted by key, without opening images. Where
            `random_split`, it takes a second argument, the seed of the split (int).
        published: Published counts by split, where there are any.
        mask_vocabulary: Vocabulary of the masks that come with the data set, if they do.
        has_cameras: Whether the data set can tell cameras apart.
        random_split: Whether the reader may draw the split.
    """

    name: str
    title: str
    kind: Literal["reid", "parsing"]
    obtain: str
    licence: str
    read: Callable[..., list[Row] | list[ParsingRow]]
    published: Mapping[str, SplitCounts] = field(default_factory=dict)
    mask_vocabulary: str | None = None
    has_cameras: bool = True
    random_split: bool = False

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits of the data set's kind, in the order of use."""
        return REID_SPLITS if self.kind == "reid" else PARSING_SPLITS
