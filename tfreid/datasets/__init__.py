"""What lies on a disk becomes rows: image, person, camera, split. One module a data set.

`read_dataset` reads any data set of the table `DATASETS`. Nothing here opens images, except
`tfreid.datasets.check` and the parts of files that are images, or imports TensorFlow.
"""

import difflib
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfreid.datasets import (
    coco_person,
    csv_manifest,
    cuhk01,
    cuhk02,
    cuhk03,
    cuhk_sysu,
    dukemtmc,
    folder,
    human_parsing,
    lip,
    market1501,
    msmt17,
    occluded_reid,
    partial_ilids,
    partial_reid,
    prid,
    shinpuhkan,
    synthetic,
    three_dpes,
    viper,
)
from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import counted, noting_passed_over
from tfreid.datasets.masks import attach_masks
from tfreid.datasets.protocols import PROTOCOLS, Protocol
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import (
    DISTRACTOR_PERSON_ID,
    JUNK_PERSON_ID,
    NO_CAMERA_ID,
    ParsingRow,
    Row,
)
from tfreid.datasets.splits import Split, SplitChoice
from tfreid.datasets.vocabulary import VOCABULARIES, lookup
from tfreid.errors import DataError, UsageError

__all__ = [
    "DATASETS",
    "DISTRACTOR_PERSON_ID",
    "JUNK_PERSON_ID",
    "NO_CAMERA_ID",
    "PROTOCOLS",
    "VOCABULARIES",
    "Dataset",
    "ParsingRow",
    "Protocol",
    "Reading",
    "Row",
    "Split",
    "SplitChoice",
    "SplitCounts",
    "attach_masks",
    "dataset_named",
    "has_several_splits",
    "lookup",
    "parse_name",
    "read_dataset",
    "rows_of",
]

DATASETS: dict[str, Dataset] = {
    "market1501": market1501.DATASET,
    "dukemtmc": dukemtmc.DATASET,
    "msmt17": msmt17.DATASET,
    "cuhk03": cuhk03.DATASET,
    "cuhk01": cuhk01.DATASET,
    "cuhk02": cuhk02.DATASET,
    "cuhk_sysu": cuhk_sysu.DATASET,
    "viper": viper.DATASET,
    "3dpes": three_dpes.DATASET,
    "prid": prid.DATASET,
    "shinpuhkan": shinpuhkan.DATASET,
    "partial_reid": partial_reid.DATASET,
    "partial_ilids": partial_ilids.DATASET,
    "occluded_reid": occluded_reid.DATASET,
    "lip": lip.DATASET,
    "human_parsing": human_parsing.DATASET,
    "coco_person": coco_person.DATASET,
    "folder": folder.DATASET,
    "csv": csv_manifest.DATASET,
    "synthetic": synthetic.DATASET,
}

_LARGEST_ID = 2**63 - 1


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


def parse_name(text: str) -> tuple[Dataset, dict[str, str]]:
    """Reads `NAME[:CHOICE[,CHOICE...]]`, as in `cuhk03:labeled,classic`.

    Returns:
        The data set and the chosen values of its options.

    Raises:
        UsageError: There is no such data set, or it has no such choice.
    """
    name, _, choices = text.partition(":")
    dataset = dataset_named(name)
    options: dict[str, str] = {}
    for choice in filter(None, choices.split(",")):
        found = [option for option, values in dataset.options.items() if choice in values]
        if not found:
            known = [" or ".join(values) for values in dataset.options.values()]
            raise UsageError(
                f"{name} has no choice {choice!r}: expected {', '.join(known) or 'none'}"
            )
        if found[0] in options:
            raise UsageError(f"{text} chooses {found[0]} twice")
        options[found[0]] = choice
    return dataset, options


def has_several_splits(name: str) -> bool:
    """Tells whether a data set with these choices can be split in more ways than one.

    Args:
        name: As `parse_name`.

    Raises:
        UsageError: As `parse_name`.
    """
    dataset, options = parse_name(name)
    defaults = {option: values[0] for option, values in dataset.options.items()}
    chosen = set((defaults | options).values())
    return dataset.several_splits and not chosen & {"all", *dataset.one_split_choices}


def read_dataset(
    name: str,
    root: str | Path,
    masks_root: str | Path | None = None,
    split: SplitChoice | None = None,
) -> Reading:
    """Reads a data set: everything that turns a name and a path into rows.

    Args:
        name: Key of `DATASETS`, with choices or without; see `parse_name`.
        root: The data set's folder or its usual parent (for `csv` the manifest).
        masks_root: Folder of masks that mirrors the data set's folder; replaces the data set's
            own masks.
        split: Which split, for data sets that have several; their first unless given.

    Returns:
        The rows, sorted by key, and what was read. Rows of images without a mask have none.

    Raises:
        UsageError: The name is unknown, or the data set cannot use an option.
        MissingPathError: The folder does not have the data set's layout.
        DataError: A file name, list or manifest is wrong, or two images share a key.
    """
    dataset, options = parse_name(name)
    train_on_all = options.pop("use", "splits") == "all"
    if split is not None and not has_several_splits(name):
        one = f"has one split with {' or '.join(dataset.one_split_choices)}"
        fixed = one if dataset.several_splits else "has fixed splits"
        has = "trains on every image" if train_on_all else fixed
        raise UsageError(f"{name} {has}: do not ask for another split")
    if masks_root is not None and dataset.kind == "parsing":
        raise UsageError(f"{dataset.name} comes with its own masks: leave out the folder of masks")
    choice = SplitChoice(test_persons=()) if train_on_all else split or SplitChoice()
    splits = (choice,) if dataset.several_splits else ()
    root = Path(root).expanduser()
    masks = None if masks_root is None else Path(masks_root).expanduser()
    with noting_passed_over() as passed_over:
        reading = dataset.read(root, *splits, **options)
    unread = [path for path in passed_over if masks not in path.parents]
    reading = replace(reading, passed_over=counted(unread, root if root.is_dir() else root.parent))
    if train_on_all:
        reading = reading.for_training()
    _refuse_shared_keys(reading.rows)
    _refuse_large_ids(reading.rows)
    if masks is None:
        return reading
    return replace(reading, rows=attach_masks(reading.rows, masks))


def rows_of(*args: Any, **kwargs: Any) -> list[Row] | list[ParsingRow]:
    """Returns the rows of `read_dataset`, which takes the same arguments."""
    return read_dataset(*args, **kwargs).rows


def _refuse_shared_keys(rows: list[Row] | list[ParsingRow]) -> None:
    paths: dict[str, str] = {}
    for row in rows:
        key = unicodedata.normalize("NFC", row.key)
        if key in paths:
            raise DataError(
                f"{paths[key]} and {row.image_path} share the key {row.key}: "
                "images must differ in more than the extension or the way in which Unicode writes "
                "the same characters; rename or remove one"
            )
        paths[key] = row.image_path


def _refuse_large_ids(rows: list[Row] | list[ParsingRow]) -> None:
    for row in rows:
        if isinstance(row, Row) and max(row.person_id, row.camera_id) > _LARGEST_ID:
            raise DataError(
                f"{row.image_path}: person {row.person_id}, camera {row.camera_id}: numbers up to "
                f"{_LARGEST_ID} (63 bits) can be kept; give names, with a letter, instead"
            )
