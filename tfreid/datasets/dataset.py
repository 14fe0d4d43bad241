"""The description of a data set: what it is, where it comes from and how it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tfreid.datasets.reading import Reading

REID_SPLITS = ("train", "query", "gallery")
PARSING_SPLITS = ("train", "val")

TRAIN_ON_ALL = {"use": ("splits", "all")}
"""Option of data sets that joint training may take whole: `all` trains on every image. It is no
parameter of `Dataset.read`: `read_dataset` sees to it."""


@dataclass(frozen=True)
class Dataset:
    """A data set that the toolkit can read.

    Attributes:
        name: As given to `--dataset`.
        title: As people call it, in one line.
        kind: `reid` (rows are `Row`) or `parsing` (rows are `ParsingRow`).
        obtain: How a user gets it.
        licence: What is known about the terms of use.
        read: Lists the rows under a path, without opening images: `read(root, **options)`, or
            `read(root, split, **options)` with a `SplitChoice` where there are several splits.
        options: What a user may choose: parameter of `read` to its values, the default first.
        mask_vocabulary: Vocabulary of the masks that come with the data set, if they do.
        several_splits: Whether there is more than one way to split it, published or drawn.
        one_split_choices: Values of options with which there is one way after all.
        published_splits: Whether the several splits come with the data set: no seed draws them.
    """

    name: str
    title: str
    kind: Literal["reid", "parsing"]
    obtain: str
    licence: str
    read: Callable[..., Reading]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mask_vocabulary: str | None = None
    several_splits: bool = False
    one_split_choices: tuple[str, ...] = ()
    published_splits: bool = False

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits of the data set's kind, in the order of use."""
        return REID_SPLITS if self.kind == "reid" else PARSING_SPLITS
