"""Shinpuhkan 2014: 24 persons before the 16 cameras of a shopping mall; for training only."""

import re
from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.errors import DataError

IMAGES = "images"

LAYOUT = Layout(
    title="Shinpuhkan",
    required=(IMAGES,),
    tree=f"{IMAGES}/001_01_....jpg ... (<person, 3 digits>_<camera, 2 digits>_...)",
    folder_names=("Shinpuhkan2014dataset", "Shinpuhkan", "shinpuhkan"),
)

PUBLISHED = {"train": SplitCounts(images=None, persons=24, cameras=16)}

_FILE_NAME = re.compile(r"(?!000)(?P<person>\d{3}).(?!00)(?P<camera>\d{2}).*")


def read(root: Path) -> Reading:
    """Lists the data set's images, all for training; `Dataset.read`.

    Raises:
        MissingPathError: The folder is not there.
        DataError: It has no images, or a file is not named as the data set names them.
    """
    folder = LAYOUT.locate(root)
    images = list_images(folder / IMAGES, (".jpg",))
    return Reading([_row(folder, image) for image in images], published=PUBLISHED)


def _row(folder: Path, image: Path) -> Row:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of Shinpuhkan was expected: the person in characters 1 to 3, "
            "the camera in 5 and 6, both from 1, as in 001_01_....jpg; rename or remove the file"
        )
    return Row(
        image_path=str(image),
        person_id=int(match["person"]),
        camera_id=int(match["camera"]),
        split="train",
        key=key_of("shinpuhkan", image, folder),
    )


DATASET = Dataset(
    name="shinpuhkan",
    title="Shinpuhkan 2014 (Kawanishi et al., FCV 2014), for training",
    kind="reid",
    obtain="From its authors, on request.",
    licence="As agreed with its authors.",
    read=read,
)
