"""What the data sets of occluded persons share: a folder of queries, a folder that answers.

They are for tests alone: nobody trains on them, and their cameras are not known.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from tfreid.datasets.layout import is_image, key_of, list_images, pass_over
from tfreid.datasets.row import DISTRACTOR_PERSON_ID, NO_CAMERA_ID, Row
from tfreid.errors import DataError

_FILE_NAME = re.compile(r"(?P<person>\d+)_.+")


def read_folders(dataset_name: str, folder: Path, places: Mapping[str, str]) -> list[Row]:
    """Lists the images named `<person>_<...>` of a folder for each split.

    Args:
        dataset_name: First part of the keys.
        folder: The data set's folder.
        places: Name of the folder inside it, by split. Its images lie there, or each person's
            in a folder named after the person.

    Returns:
        One row an image, sorted by key, all without cameras. Where persons are counted from 0,
        which is the distractors' number, each gets the next.

    Raises:
        DataError: A folder has no images, an image is not named after a person, or it lies in
            another person's folder.
    """
    images = [
        (split, image, _person(image, folder / place))
        for split, place in places.items()
        for image in images_below(folder / place)
    ]
    shift = int(any(person == DISTRACTOR_PERSON_ID for _, _, person in images))
    rows = [
        Row(
            image_path=str(image),
            person_id=person + shift,
            camera_id=NO_CAMERA_ID,
            split=split,
            key=key_of(dataset_name, image, folder),
        )
        for split, image, person in images
    ]
    return sorted(rows, key=lambda row: row.key)


def images_below(place: Path) -> list[Path]:
    """Lists the images of a folder and of the persons' folders inside it.

    Raises:
        DataError: There is none.
    """
    persons = sorted(
        path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    images = []
    for path in (path for folder in (place, *persons) for path in sorted(folder.iterdir())):
        if is_image(path):
            images.append(path)
        elif path not in persons:
            pass_over(path)
    return images or list_images(place)  # which says what was expected


def _person(image: Path, place: Path) -> int:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name <person>_<number> was expected, as in 001_01{image.suffix}, "
            "with the person's number; rename or remove the file"
        )
    person = int(match["person"])
    if image.parent != place and image.parent.name.lstrip("0") != match["person"].lstrip("0"):
        raise DataError(
            f"{image} lies in the folder of person {image.parent.name} and is named after "
            f"person {match['person']}: move or rename it"
        )
    return person
