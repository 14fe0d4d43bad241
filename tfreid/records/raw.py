"""A data set as it lies on a disk: what is read of it, and what it brings along."""

from dataclasses import dataclass
from pathlib import Path

from tfreid.datasets import VOCABULARIES, dataset_named, rows_of
from tfreid.errors import UsageError
from tfreid.records.sources import Source

_DRAWN = "synthetic.json"


@dataclass(frozen=True)
class RawDataset:
    """Where a data set lies.

    Attributes:
        name: key of `tfreid.datasets.DATASETS`.
        root: its folder or the usual parent of that.
        masks_root: folder of masks that mirrors the images, or None for the data set's own.
        mask_vocabulary: vocabulary of the masks of `masks_root`.
        split_seed: seed of the split, for data sets that draw one; 0 unless given.
    """

    name: str
    root: Path
    masks_root: Path | None = None
    mask_vocabulary: str = ""
    split_seed: int | None = None

    def read(self) -> Source:
        """Lists the data set's images.

        Raises:
            UsageError: if the name is unknown or an option does not fit the data set.
            MissingPathError: if the folder does not have the data set's layout.
            DataError: if a file name, list or manifest is wrong.
        """
        dataset = dataset_named(self.name)
        rows = rows_of(self.name, self.root, self.masks_root, self.split_seed)
        vocabulary = self.mask_vocabulary
        if self.masks_root and not vocabulary:
            raise UsageError(
                f"--masks_root needs --mask_vocabulary, one of {', '.join(VOCABULARIES)}"
            )
        if not self.masks_root and dataset.mask_vocabulary:
            vocabulary = dataset.mask_vocabulary
        has_masks = any(row.mask_path for row in rows)
        return Source(self.name, dataset.kind, rows, vocabulary if has_masks else "")

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
