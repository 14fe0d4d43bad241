"""PRID 2011: 385 persons before camera a, 749 before camera b, 200 of them before both."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tfreid.datasets.dataset import TRAIN_ON_ALL, Dataset
from tfreid.datasets.layout import Layout, key_of, list_images, pass_over
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.datasets.splits import SplitChoice, draw_random_half
from tfreid.errors import DataError

CAMERAS = {"cam_a": 1, "cam_b": 2}
SHARED_PERSONS = 200
ONLY_CAMERA_A = 1000
"""Added to the numbers of persons whom camera a alone saw: camera b numbers others likewise."""


def _layout(shots: str, images: str) -> Layout:
    return Layout(
        title=f"PRID 2011 {shots}",
        required=tuple(f"{shots}/{camera}" for camera in CAMERAS),
        tree=f"{shots}/{{cam_a,cam_b}}/{images} ...",
        folder_names=("prid_2011", "prid2011", "prid2011/prid_2011"),
    )


LAYOUTS = {
    "single_shot": _layout("single_shot", "person_0001.png"),
    "multi_shot": _layout("multi_shot", "person_0001/0001.png"),
}

PUBLISHED = {
    "single_shot": {
        "train": SplitCounts(images=200, persons=100, cameras=2),
        "query": SplitCounts(images=100, persons=100, cameras=1),
        "gallery": SplitCounts(images=649, persons=649, cameras=1),
    },
    "multi_shot": {
        "train": SplitCounts(images=None, persons=100, cameras=2),
        "query": SplitCounts(images=None, persons=100, cameras=1),
        "gallery": SplitCounts(images=None, persons=649, cameras=1),
    },
}
PUBLISHED_TOTAL = {
    "single_shot": SplitCounts(images=1134, persons=934, cameras=2),
    "multi_shot": SplitCounts(images=None, persons=934, cameras=2),
}

_PERSON_NAME = re.compile(r"person_(?P<person>0*[1-9]\d*)")


def read(root: Path, choice: SplitChoice, shots: str = "single_shot") -> Reading:
    """Lists the data set's images and draws half of the 200 shared persons; `Dataset.read`.

    Camera a's images of the test persons ask; all of camera b answers, but for the training
    persons. Where nobody is tested everybody trains.

    Numbers up to 200 mean the same person before both cameras; above, other persons before
    each: those of camera a get 1,000 added.

    Args:
        root: Holds the folder of the shots, or is the parent of that.
        choice: The split.
        shots: Key of `LAYOUTS`: one image a person and camera, or a sequence.

    Raises:
        UsageError: There is no such split.
        MissingPathError: The folders of the cameras are not there.
        DataError: A folder has no images, or something is not named as the data set names it.
    """
    folder = LAYOUTS[shots].locate(root)
    found = [row for camera in CAMERAS for row in _camera_rows(folder, shots, camera)]
    rows, split = draw_random_half(sorted(found, key=lambda row: row.key), choice)
    if not split.test_persons:
        return Reading(rows, "random_half", published_total=PUBLISHED_TOTAL[shots], split=split)
    kept = [_in_gallery(row) for row in rows if row.person_id <= ONLY_CAMERA_A]
    return Reading(
        kept,
        "random_half",
        PUBLISHED[shots],
        split=split,
        excluded={"of persons whom camera a alone saw": len(rows) - len(kept)},
    )


def _in_gallery(row: Row) -> Row:
    return replace(row, split="gallery") if row.person_id > SHARED_PERSONS else row


def _camera_rows(folder: Path, shots: str, camera: str) -> Iterator[Row]:
    for name, image in _named_images(folder / shots / camera, shots):
        match = _PERSON_NAME.fullmatch(name)
        if match is None:
            raise DataError(
                f"{image}: expected {LAYOUTS[shots].tree}, persons numbered from 1; rename or "
                "remove what is named otherwise"
            )
        person = int(match["person"])
        alone = person > SHARED_PERSONS and camera == "cam_a"
        yield Row(
            image_path=str(image),
            person_id=person + ONLY_CAMERA_A if alone else person,
            camera_id=CAMERAS[camera],
            split="train",
            key=key_of("prid", image, folder),
        )


def _named_images(place: Path, shots: str) -> Iterator[tuple[str, Path]]:
    """Yields images with the name of their person."""
    if shots == "single_shot":
        yield from ((image.stem, image) for image in list_images(place, (".png",)))
        return
    sequences = [path for path in place.iterdir() if path.is_dir() and path.name[0] != "."]
    for path in place.iterdir():
        if not path.is_dir():
            pass_over(path)
    if not sequences:
        raise DataError(f"no folders of persons in {place}: expected {LAYOUTS[shots].tree}")
    for folder in sequences:
        yield from ((folder.name, image) for image in list_images(folder, (".png",)))


DATASET = Dataset(
    name="prid",
    title="PRID 2011 (Hirzer et al., SCIA 2011)",
    kind="reid",
    obtain="From its authors' page, "
    "https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/PRID11/.",
    licence="Published for research; read its page before any other use.",
    read=read,
    options={"shots": tuple(LAYOUTS), **TRAIN_ON_ALL},
    several_splits=True,
)
