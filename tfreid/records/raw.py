"""A data set as it lies on a disk: what is read of it, and what it brings along."""

from dataclasses import dataclass
from pathlib import Path

from tfreid.datasets import VOCABULARIES, SplitChoice, parse_name, read_dataset
from tfreid.errors import UsageError
from tfreid.records.info import SourceInfo
from tfreid.records.sources import Source

_DRAWN = "synthetic.json"


@dataclass(frozen=True)
class RawDataset:
    """Where a data set lies.

    Attributes:
        name: key of `tfreid.datasets.DATASETS`, with choices or without, as `cuhk03:labeled`.
        root: its folder or the usual parent of that.
        masks_root: folder of masks that mirrors the images, or None for the data set's own.
        mask_vocabulary: vocabulary of the masks of `masks_root`.
        split: which split, for data sets that have several; their first unless given.
    """

    name: str
    root: Path
    masks_root: Path | None = None
    mask_vocabulary: str = ""
    split: SplitChoice | None = None

    def read(self) -> Source:
        """Lists the data set's images.

        Raises:
            UsageError: if the name is unknown or an option does not fit the data set.
            MissingPathError: if the folder does not have the data set's layout.
            DataError: if a file name, list or manifest is wrong.
        """
        dataset, options = parse_name(self.name)
        reading = read_dataset(self.name, self.root, self.masks_root, self.split)
        vocabulary = self.mask_vocabulary
        if self.masks_root and not vocabulary:
            raise UsageError(
                f"--masks_root needs --mask_vocabulary, one of {', '.join(VOCABULARIES)}"
            )
        if not self.masks_root and dataset.mask_vocabulary:
            vocabulary = dataset.mask_vocabulary
        has_masks = any(row.mask_path for row in reading.rows)
        chosen = {option: values[0] for option, values in dataset.options.items()} | options
        info = SourceInfo(chosen, reading.protocol, reading.split, dict(reading.excluded))
        return Source(
            dataset.name, dataset.kind, reading.rows, vocabulary if has_masks else "", info
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
