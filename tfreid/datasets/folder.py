"""A user's own images in folders named after persons and, if known, cameras."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tfreid.datasets.dataset import REID_SPLITS, Dataset
from tfreid.datasets.layout import (
    Layout,
    is_image,
    key_of,
    list_images,
    pass_over,
    printable,
)
from tfreid.datasets.numbering import names_by_number, number_names, number_persons
from tfreid.datasets.protocols import protocol_for
from tfreid.datasets.reading import Reading
from tfreid.datasets.row import NO_CAMERA_ID, Row
from tfreid.datasets.splits import SplitChoice, by_name, draw_split
from tfreid.errors import DataError, MissingPathError, UsageError

LAYOUT = Layout(
    title="folder",
    required=(),
    tree="""
{train,query,gallery}/<person>/*.jpg             splits given, cameras not known
{train,query,gallery}/<person>/<camera>/*.jpg    splits given
<person>/*.jpg or <person>/<camera>/*.jpg        the split is drawn, by person
(*.jpeg, *.png, *.bmp, *.tif, *.tiff and *.webp likewise; train alone or query with gallery will do)
""",
)

_OTHER_SPLITS = ("test", "testing", "val", "valid", "validation", "dev", "probe", "training")
_MAX_NAMED_PROBLEMS = 10
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
        choice: The seed of the split, or the test persons, used where the folders give none.

    Raises:
        UsageError: The folders give the splits, but one was asked for, or a given test person is
            not there.
        MissingPathError: There is neither, or one of `query` and `gallery` lacks the other.
        DataError: Folders have no images, images lie outside the folders of persons or cameras,
            or the folders do not say consistently which camera saw what; the text lists all.
    """
    if not root.is_dir():
        raise MissingPathError(f"no {LAYOUT.title} layout in {root}\n{LAYOUT.expectation(root)}")
    splits = [split for split in REID_SPLITS if (root / split).is_dir()]
    if ("query" in splits) != ("gallery" in splits):
        raise MissingPathError(
            f"{root} has one of query/ and gallery/: a test needs both\n{LAYOUT.expectation(root)}"
        )
    places = {split: root / split for split in splits} or {"train": root}
    if splits and replace(choice, test_all=False) != SplitChoice():
        raise UsageError(f"{root} gives its splits, {', '.join(splits)}: do not ask for another")
    problems = _other_splits(root, splits)
    for path in sorted(root.iterdir()) if splits else []:
        if path not in places.values():
            pass_over(path)
    if not splits:
        _warn_of_depth(root)
    images = [i for split, place in places.items() for i in _images(split, place, problems)]
    problems += _without_camera(images)
    if problems:
        raise DataError(_listed(problems, root))
    how = f"with the splits {', '.join(splits)}" if splits else "without splits"
    _log.info("recognised the %s layout %s in %s", LAYOUT.title, how, root)
    persons = number_persons(image.person for image in images)
    cameras = number_names((image.camera for image in images if image.camera), "camera")
    rows = sorted(_rows(images, root, persons, cameras), key=lambda row: row.key)
    rows, split = (rows, None) if splits else draw_split(rows, by_name(choice, persons))
    names = {"person_names": names_by_number(persons), "camera_names": names_by_number(cameras)}
    return Reading(rows, protocol=protocol_for(rows), split=split, **names)


def _other_splits(root: Path, splits: list[str]) -> list[str]:
    """Names folders of images that other toolkits would take for splits, and this one has not."""
    folders = _subfolders(root)
    meant = [path for path in folders if path.name.lower() in (*REID_SPLITS, *_OTHER_SPLITS)]
    others = [path for path in meant if path.name not in splits]
    others = [path for path in others if any(map(is_image, path.rglob("*")))]
    if not others or (not splits and len(meant) < len(folders)):  # Persons may be called anything.
        return []
    names = " and ".join(f"{path.name}/" for path in others)
    return [
        f"{root} has {names}: splits are called {', '.join(REID_SPLITS)} here. Sort test images "
        "into query/ and gallery/, rename the folder, or move it elsewhere if it is not wanted"
    ]


def _warn_of_depth(root: Path) -> None:
    """Says so where a folder without splits looks like one person's, with folders of cameras."""
    own = {path.name for path in _subfolders(root)}
    for other in _subfolders(root.absolute().parent):
        shared = own & {path.name for path in _subfolders(other)}
        if shared and other.name != root.absolute().name and other.name not in REID_SPLITS:
            _log.warning(
                "each folder in %s is taken for a person. %s beside it has folders of the same "
                "names (%s): if they are cameras, give %s instead",
                *(root, other, ", ".join(sorted(shared)[:3]), root.absolute().parent),
            )
            return


def _images(split: str, place: Path, problems: list[str]) -> Iterator[_Image]:
    """Yields a split's images; what is wrong with its folders goes to `problems`."""
    persons = _subfolders(place)
    loose = _loose(place, problems)
    if not persons:
        hint = f"if this is one person's folder, give {place.absolute().parent}\n" if loose else ""
        problems.append(f"no folders of persons in {place}\n{hint}{LAYOUT.expectation(place)}")
    elif loose:
        problems.append(
            f"{place} has images outside the folders of persons, such as {printable(loose[0].name)}"
            f" ({len(loose)} in all): move each image into its person's folder"
        )
    for person in persons:
        cameras = _subfolders(person)
        loose = _loose(person, problems) if cameras else []
        if loose:
            problems.append(
                f"{person} has images beside folders of cameras, such as {loose[0].name} "
                f"beside {cameras[0].name}/: move each image into its camera's folder"
            )
        for folder in cameras or [person]:
            camera = folder.name if cameras else None
            try:
                images = list_images(folder)
            except DataError as error:
                problems.append(f"{error}; if it has none, remove it")
                continue
            yield from (_Image(path, split, person.name, camera) for path in images)


def _loose(folder: Path, problems: list[str]) -> list[Path]:
    """Returns the images that lie beside folders; other files are passed over, by name if odd."""
    loose = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not path.exists():
            problems.append(f"{printable(path)}: a link that leads nowhere: remove it")
        elif is_image(path) and not path.is_dir():
            loose.append(path)
        elif not path.is_dir():
            pass_over(path)
    return loose


def _without_camera(images: list[_Image]) -> list[str]:
    without = [image for image in images if image.camera is None]
    if not without or len(without) == len(images):
        return []
    return [
        f"{printable(without[0].path)} is in no camera's folder, but other images are: "
        "give all images a camera or none"
    ]


def _listed(problems: list[str], root: Path) -> str:
    if len(problems) == 1:
        return problems[0]
    named = [f"  {problem}" for problem in problems[:_MAX_NAMED_PROBLEMS]]
    if len(problems) > len(named):
        named.append(f"  ... and {len(problems) - len(named)} more")
    return "\n".join([f"{root} has {len(problems)} errors:", *named])


def _rows(
    images: list[_Image], root: Path, persons: dict[str, int], cameras: dict[str, int]
) -> list[Row]:
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
