"""A user's own images in folders named after persons and, if known, cameras."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfreid.datasets.dataset import REID_SPLITS, Dataset
from tfreid.datasets.layout import Layout, is_image, key_of, list_images
from tfreid.datasets.numbering import number_names
from tfreid.datasets.protocols import protocol_for
from tfreid.datasets.reading import Reading
from tfreid.datasets.row import JUNK_PERSON_ID, NO_CAMERA_ID, Row
from tfreid.datasets.splits import SplitChoice, draw_split
from tfreid.errors import DataError, MissingPathError, UsageError

LAYOUT = Layout(
    title="folder",
    required=(),
    tree="""
{train,query,gallery}/<person>/*.jpg             splits given, cameras not known
{train,query,gallery}/<person>/<camera>/*.jpg    splits given
<person>/*.jpg or <person>/<camera>/*.jpg        the split is drawn, by person
(*.png likewise; train alone or query with gallery will do)
""",
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Image:
    path: Path
    split: str
    person: str
    camera: str | None


def read(root: Path, choice: SplitChoice) -> Reading:
    """Lists the images in folders of persons; `Dataset.read`.

    Args:
        root: Holds the folders of the splits, or those of the persons.
        choice: The seed of the split, used where the folders give none.

    Raises:
        UsageError: The folders give the splits, but one was asked for.
        MissingPathError: There is neither, or one of `query` and `gallery` lacks the other.
        DataError: A folder has no images, or the folders do not say consistently which camera
            saw what.
    """
    if not root.is_dir():
        raise MissingPathError(f"no {LAYOUT.title} layout in {root}\n{LAYOUT.expectation(root)}")
    splits = [split for split in REID_SPLITS if (root / split).is_dir()]
    if ("query" in splits) != ("gallery" in splits):
        raise MissingPathError(
            f"{root} has one of query/ and gallery/: a test needs both\n{LAYOUT.expectation(root)}"
        )
    places = {split: root / split for split in splits} or {"train": root}
    if splits and choice != SplitChoice():
        raise UsageError(f"{root} gives its splits, {', '.join(splits)}: do not ask for another")
    images = [image for split, place in places.items() for image in _images(split, place)]
    how = f"with the splits {', '.join(splits)}" if splits else "without splits"
    _log.info("recognised the %s layout %s in %s", LAYOUT.title, how, root)
    rows = sorted(_rows(images, root), key=lambda row: row.key)
    rows, split = (rows, None) if splits else draw_split(rows, choice)
    return Reading(rows, protocol=protocol_for(rows), split=split)


def _images(split: str, place: Path) -> Iterator[_Image]:
    persons = _subfolders(place)
    if not persons:
        raise DataError(f"no folders of persons in {place}\n{LAYOUT.expectation(place)}")
    for person in persons:
        cameras = _subfolders(person)
        loose = [path for path in person.iterdir() if is_image(path)]
        if cameras and loose:
            raise DataError(
                f"{person} has images beside folders of cameras, such as {loose[0].name} "
                f"beside {cameras[0].name}/: move each image into its camera's folder"
            )
        for folder in cameras or [person]:
            camera = folder.name if cameras else None
            yield from (_Image(path, split, person.name, camera) for path in list_images(folder))


def _rows(images: list[_Image], root: Path) -> list[Row]:
    persons = number_names((image.person for image in images), "person", JUNK_PERSON_ID)
    cameras = number_names(
        (image.camera for image in images if image.camera), "camera", NO_CAMERA_ID + 1
    )
    if cameras and any(image.camera is None for image in images):
        without = next(image for image in images if image.camera is None)
        raise DataError(
            f"{without.path} is in no camera's folder, but other images are: "
            "give all images a camera or none"
        )
    return [
        Row(
            image_path=str(image.path),
            person_id=persons[image.person],
            camera_id=cameras[image.camera] if image.camera else NO_CAMERA_ID,
            split=image.split,
            key=key_of("folder", image.path, root),
        )
        for image in images
    ]


def _subfolders(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


DATASET = Dataset(
    name="folder",
    title="Your own images, in a folder a person",
    kind="reid",
    obtain="Sort them into [<split>/]<person>/[<camera>/]; without splits, half of the persons "
    "are drawn for the test.",
    licence="Yours.",
    read=read,
    several_splits=True,
)
