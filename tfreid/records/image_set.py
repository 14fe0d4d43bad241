"""Images that are to be converted: where a data set lies, and what is read of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tfreid.datasets import (
    VOCABULARIES,
    ParsingRow,
    Reading,
    Row,
    SplitChoice,
    parse_name,
    read_dataset,
)
from tfreid.errors import UsageError
from tfreid.records.info import SourceInfo

_DRAWN = "synthetic.json"


@dataclass(frozen=True)
class ImageSet:
    """A data set as it lies on a disk. Nothing is read until something is asked for.

    Attributes:
        name: key of `tfreid.datasets.DATASETS`, with choices or without, as `cuhk03:labeled`; with
            `given`, any name.
        root: its folder or the usual parent of that.
        masks_root: folder of masks that mirrors the images, or None for the data set's own.
        mask_vocabulary: vocabulary of the masks of `masks_root` or of `given`.
        split: which split, for data sets that have several; their first unless given.
        given: the rows, of a data set that no reader knows, instead of what lies under `root`.
    """

    name: str
    root: Path = Path()
    masks_root: Path | None = None
    mask_vocabulary: str = ""
    split: SplitChoice | None = None
    given: Reading | None = None

    @cached_property
    def reading(self) -> Reading:
        """The images, listed once.

        Raises:
            UsageError: if the name is unknown or an option does not fit the data set.
            MissingPathError: if the folder does not have the data set's layout.
            DataError: if a file name, list or manifest is wrong.
        """
        if self.given is not None:
            return self.given
        reading = read_dataset(self.name, self.root, self.masks_root, self.split)
        if self.masks_root and not self.mask_vocabulary:
            raise UsageError(f"masks_root needs mask_vocabulary, one of {', '.join(VOCABULARIES)}")
        return reading

    @property
    def rows(self) -> Sequence[Row] | Sequence[ParsingRow]:
        """One an image; raises as `reading`."""
        return self.reading.rows

    @property
    def dataset(self) -> str:
        """Name of the data set, without choices."""
        return self.name if self.given is not None else parse_name(self.name)[0].name

    @property
    def kind(self) -> str:
        """Record kind, `reid` or `parsing`."""
        if self.given is None:
            return parse_name(self.name)[0].kind
        return "parsing" if any(isinstance(row, ParsingRow) for row in self.rows[:1]) else "reid"

    @property
    def vocabulary(self) -> str:
        """Vocabulary of the rows' masks; empty where no row has one, or where it is not known."""
        if not any(row.mask_path for row in self.rows):
            return ""
        own = None if self.given or self.masks_root else parse_name(self.name)[0].mask_vocabulary
        return own or self.mask_vocabulary

    @property
    def info(self) -> SourceInfo:
        """How it was read, for `dataset.json`."""
        chosen: dict[str, str] = {}
        if self.given is None:
            dataset, options = parse_name(self.name)
            chosen = {option: values[0] for option, values in dataset.options.items()} | options
        return SourceInfo(
            chosen,
            self.reading.protocol,
            self.reading.split,
            dict(self.reading.excluded),
            self.vocabulary,
            dict(self.reading.person_names),
            dict(self.reading.camera_names),
        )

    @property
    def drawn_in(self) -> Path | None:
        """The folder that the synthetic generator wrote, if `root` is that or a part of it."""
        root = self.root.expanduser()
        return next((f for f in (root, root.parent) if (f / _DRAWN).is_file()), None)

    @property
    def own_backgrounds(self) -> Path | None:
        """The background scenes that the synthetic generator wrote beside the images."""
        scenes = self.drawn_in / "backgrounds" if self.drawn_in else None
        return scenes if scenes and scenes.is_dir() else None
