"""What lies on a disk becomes rows: image, person, camera, split. One module a data set.

`rows_of` reads any data set of the table `DATASETS`. Nothing here opens images, except
`tfreid.datasets.check`, or imports TensorFlow.
"""

import difflib
from pathlib import Path

from tfreid.datasets import csv_manifest, folder, lip, market1501, synthetic_reader
from tfreid.datasets.dataset import Dataset, SplitCounts
from tfreid.datasets.masks import attach_masks
from tfreid.datasets.row import (
    DISTRACTOR_PERSON_ID,
    JUNK_PERSON_ID,
    NO_CAMERA_ID,
    ParsingRow,
    Row,
)
from tfreid.datasets.vocabulary import VOCABULARIES, lookup
from tfreid.errors import DataError, UsageError

__all__ = [
    "DATASETS",
    "DISTRACTOR_PERSON_ID",
    "JUNK_PERSON_ID",
    "NO_CAMERA_ID",
    "VOCABULARIES",
    "Dataset",
    "ParsingRow",
    "Row",
    "SplitCounts",
    "attach_masks",
    "dataset_named",
    "lookup",
    "rows_of",
]

DATASETS: dict[str, Dataset] = {
    "market1501": market1501.DATASET,
    "synthetic": synthetic_reader.DATASET,
    "lip": lip.DATASET,
    "folder": folder.DATASET,
    "csv": csv_manifest.DATASET,
}


def dataset_named(name: str) -> Dataset:
    """Looks a data set up.

    Raises:
        UsageError: There is none of that name; the text gives the nearest names, or all.
    """
    if name in DATASETS:
        return DATASETS[name]
    near = difflib.get_close_matches(name.lower(), DATASETS, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(DATASETS)}"
    raise UsageError(f"unknown data set {name!r}: {hint}")


def rows_of(
    name: str,
    root: str | Path,
    masks_root: str | Path | None = None,
    split_seed: int | None = None,
) -> list[Row] | list[ParsingRow]:
    """Reads a data set: everything that turns a name and a path into rows.

    Args:
        name: Key of `DATASETS`.
        root: The data set's folder or its usual parent (for `csv` the manifest).
        masks_root: Folder of masks that mirrors the data set's folder; replaces the data set's
            own masks.
        split_seed: Seed of the split, for data sets that draw one; 0 unless given.

    Returns:
        The rows, sorted by key. Rows of images without a mask have none.

    Raises:
        UsageError: The name is unknown, or the data set cannot use an option.
        MissingPathError: The folder does not have the data set's layout.
        DataError: A file name, list or manifest is wrong, or two images share a key.
    """
    dataset = dataset_named(name)
    if split_seed is not None and not dataset.random_split:
        raise UsageError(f"{name} has fixed splits: leave out the seed of the split")
    if masks_root is not None and dataset.kind == "parsing":
        raise UsageError(f"{name} comes with its own masks: leave out the folder of masks")
    options = (split_seed or 0,) if dataset.random_split else ()
    rows = dataset.read(Path(root).expanduser(), *options)
    _refuse_shared_keys(rows)
    return rows if masks_root is None else attach_masks(rows, Path(masks_root).expanduser())


def _refuse_shared_keys(rows: list[Row] | list[ParsingRow]) -> None:
    paths: dict[str, str] = {}
    for row in rows:
        if row.key in paths:
            raise DataError(
                f"{paths[row.key]} and {row.image_path} share the key {row.key}: "
                "images must differ in more than the extension; rename or remove one"
            )
        paths[row.key] = row.image_path
