"""MSMT17: 126,441 images of 4,101 persons before fifteen cameras, at four hours of the day.

The lists number the persons of the training and of the test folder from 0 each. Here person 12 of
the training folder is 10012 and person 12 of the test folder 20012, so that nobody shares an ID
and nobody is 0, which would be a distractor.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, is_image, key_of, locate_any, pass_over, text_of
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.errors import DataError

TRAIN_PERSONS, TEST_PERSONS = 10_000, 20_000
"""What is added to the numbers of the lists: to those of training and of test persons."""

_LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")


def _layout(title: str, train: str, test: str) -> Layout:
    return Layout(
        title=title,
        required=(train, test, *_LISTS),
        tree=f"""
{train}/0000/0000_000_01_0303morning_0015_0.jpg ...
{test}/0000/0000_000_01_0302noon_0000_0.jpg ...
{", ".join(_LISTS)}
""",
        folder_names=(title, "MSMT17", "msmt17"),
    )


_FOLDERS = {"MSMT17_V1": ("train", "test"), "MSMT17_V2": ("mask_train_v2", "mask_test_v2")}
LAYOUTS = tuple(_layout(title, *folders) for title, folders in _FOLDERS.items())

_TEST = {
    "query": SplitCounts(images=11659, persons=3060, cameras=15, junk=0, distractors=0),
    "gallery": SplitCounts(images=82161, persons=3060, cameras=15, junk=0, distractors=0),
}
PUBLISHED = {
    "train": {"train": SplitCounts(30248, 1041, cameras=15, junk=0, distractors=0)} | _TEST,
    "train+val": {"train": SplitCounts(32621, 1041, cameras=15, junk=0, distractors=0)} | _TEST,
}

_LINE = re.compile(
    r"(?P<image>(\d+/)?\d+_\d+_(?P<camera>0*[1-9]\d*)_[^/\s]+)\s+(?P<person>\d{1,4})"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Listed:
    where: str
    path: Path
    person: int
    camera: int


def read(root: Path, training: str = "train") -> Reading:
    """Lists the images that the lists name; `Dataset.read`.

    A listed image that is missing is warned of; it fails where it is opened, as a damaged one.

    Args:
        root: Holds `MSMT17_V1` or `MSMT17_V2`, or is one of them.
        training: `train`, or `train+val` for the images of both lists.

    Raises:
        MissingPathError: Neither version's folders and lists are there.
        DataError: A line of a list is malformed, or an image is named twice.
    """
    layout, folder = locate_any(LAYOUTS, root)
    train, test = (folder / name for name in _FOLDERS[layout.title])
    images = [train, train, test, test]
    listed = {
        name: list(_read_list(folder / name, place))
        for name, place in zip(_LISTS, images, strict=True)
    }
    paths = _unique_paths(entry for entries in listed.values() for entry in entries)
    found = set()
    for path in (path for place in (train, test) for path in place.rglob("*")):
        if is_image(path):
            found.add(path)
        elif not path.is_dir():
            pass_over(path)
    _warn_of_missing(paths - found)
    splits = {"list_train.txt": "train", "list_query.txt": "query", "list_gallery.txt": "gallery"}
    excluded = {"which no list names": len(found - paths)}
    if training == "train+val":
        splits["list_val.txt"] = "train"
    else:
        excluded["of list_val.txt, on which train+val trains"] = len(listed["list_val.txt"])
    rows = [_row(entry, split, folder) for name, split in splits.items() for entry in listed[name]]
    return Reading(
        sorted(rows, key=lambda row: row.key),
        published=PUBLISHED[training],
        excluded={reason: images for reason, images in excluded.items() if images},
    )


def _read_list(path: Path, images: Path) -> Iterator[_Listed]:
    text = text_of(path)
    if not text.strip():
        raise DataError(f"{path} names no images: expected lines of an image's path and a person")
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line.strip())
        if match is not None:
            person, camera = int(match["person"]), int(match["camera"])
            yield _Listed(f"{path}:{number}", images / match["image"], person, camera)
        elif line.strip():
            raise DataError(
                f"{path}:{number}: expected an image's path, with the camera as the third field "
                "of its name, and the person's number, as in "
                f"'0000/0000_000_01_0303morning_0015_0.jpg 0'; found {line.strip()!r}"
            )


def _unique_paths(entries: Iterable[_Listed]) -> set[Path]:
    where: dict[Path, str] = {}
    for entry in entries:
        if entry.path in where:
            raise DataError(
                f"{entry.where} names {entry.path.name} a second time, after "
                f"{where[entry.path]}: an image belongs to one list; remove a line"
            )
        where[entry.path] = entry.where
    return set(where)


def _warn_of_missing(missing: set[Path]) -> None:
    if missing:
        _log.warning("listed, but not there: %s (%d in all)", min(missing), len(missing))


def _row(entry: _Listed, split: str, folder: Path) -> Row:
    first = TRAIN_PERSONS if split == "train" else TEST_PERSONS
    return Row(
        image_path=str(entry.path),
        person_id=first + entry.person,
        camera_id=entry.camera,
        split=split,
        key=key_of("msmt17", entry.path, folder),
    )


DATASET = Dataset(
    name="msmt17",
    title="MSMT17 (Wei et al., CVPR 2018)",
    kind="reid",
    obtain="From its authors, on request: https://www.pkuvmc.com/dataset.html; unpack MSMT17_V1, "
    "or MSMT17_V2 with blurred faces.",
    licence="For academic research only, under the agreement that its authors send.",
    read=read,
    options={"training": ("train", "train+val")},
)
