"""The layout that Market-1501 introduced: a folder a split, person and camera in file names."""

import re
from dataclasses import dataclass
from pathlib import Path

from tfreid.datasets.layout import key_of, list_images
from tfreid.datasets.row import Row
from tfreid.errors import DataError

SPLIT_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}


@dataclass(frozen=True)
class FileNames:
    """How a data set names its images.

    Attributes:
        title: The layout's name, for messages.
        pattern: Matches a name without extension; its groups `person` and `camera` are the IDs.
        form: The form of a name, for messages.
    """

    title: str
    pattern: re.Pattern[str]
    form: str


def read_split_folders(
    dataset_name: str, folder: Path, names: FileNames, within: str = ""
) -> list[Row]:
    """Lists the images of the three folders of `SPLIT_FOLDERS`, sorted by key.

    Args:
        dataset_name: First part of the keys.
        folder: The data set's folder.
        names: What the images are called.
        within: Where in `folder` the three folders are.

    Returns:
        One row an image.

    Raises:
        DataError: A folder has no images, or a file is not named as the data set names them.
    """
    rows = []
    for split, name in SPLIT_FOLDERS.items():
        for image in list_images(folder / within / name):
            person, camera = _ids(image, names)
            key = key_of(dataset_name, image, folder)
            rows.append(Row(str(image), person, camera, split, key))
    return sorted(rows, key=lambda row: row.key)


def _ids(image: Path, names: FileNames) -> tuple[int, int]:
    match = names.pattern.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of the {names.title} layout was expected: {names.form}; "
            "rename or remove the file"
        )
    return int(match["person"]), int(match["camera"])
