"""CUHK01: 971 persons of a campus, each in two images of either camera."""

import re
from pathlib import Path

from tfreid.datasets.dataset import TRAIN_ON_ALL, Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.datasets.splits import SplitChoice, draw_random_half
from tfreid.errors import DataError

LAYOUT = Layout(
    title="CUHK01",
    required=("[0-9][0-9][0-9][0-9]00[1-4].[pP][nN][gG]",),
    tree="0001001.png, 0001002.png, 0001003.png, 0001004.png, 0002001.png ...",
    folder_names=("campus", "CUHK01", "CUHK01/campus", "cuhk01", "cuhk01/campus"),
)

TESTS = {"test_half": None, "test_100": 100}
PUBLISHED = {
    "test_half": {
        "train": SplitCounts(images=1940, persons=485, cameras=2),
        "query": SplitCounts(images=972, persons=486, cameras=1),
        "gallery": SplitCounts(images=972, persons=486, cameras=1),
    },
    "test_100": {
        "train": SplitCounts(images=3484, persons=871, cameras=2),
        "query": SplitCounts(images=200, persons=100, cameras=1),
        "gallery": SplitCounts(images=200, persons=100, cameras=1),
    },
}
PUBLISHED_TOTAL = SplitCounts(images=3884, persons=971, cameras=2)

_FILE_NAME = re.compile(r"(?!0000)(?P<person>\d{4})00(?P<image>[1-4])")


def read(root: Path, choice: SplitChoice, test: str = "test_half") -> Reading:
    """Lists the data set's images and draws the test persons; `Dataset.read`.

    Args:
        root: The folder of the images, or its parent.
        choice: The split.
        test: Key of `TESTS`: 486 test persons of the 971, or 100.

    Raises:
        UsageError: There is no such split.
        MissingPathError: There are no images.
        DataError: A file is not named as the data set names them, or there are too few persons.
    """
    folder = LAYOUT.locate(root)
    images = [_row(folder, image) for image in list_images(folder, (".png",))]
    rows, split = draw_random_half(images, choice, TESTS[test])
    return Reading(rows, "random_half", PUBLISHED[test], PUBLISHED_TOTAL, split)


def _row(folder: Path, image: Path) -> Row:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of CUHK01 was expected: 4 digits for the person and 3 for the "
            "image, 001 to 004, as in 0001001.png; rename or remove the file"
        )
    return Row(
        image_path=str(image),
        person_id=int(match["person"]),
        camera_id=1 if match["image"] in "12" else 2,
        split="train",
        key=key_of("cuhk01", image, folder),
    )


DATASET = Dataset(
    name="cuhk01",
    title="CUHK01 (Li et al., ACCV 2012)",
    kind="reid",
    obtain="From its authors' page, http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html.",
    licence="Published for research; read its page before any other use.",
    read=read,
    options={"test": tuple(TESTS), **TRAIN_ON_ALL},
    several_splits=True,
)
