"""VIPeR: 632 persons, each in one image of camera a and one of camera b."""

import re
from pathlib import Path

from tfreid.datasets.dataset import TRAIN_ON_ALL, Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.datasets.splits import SplitChoice, draw_random_half
from tfreid.errors import DataError

CAMERAS = {"cam_a": 1, "cam_b": 2}

LAYOUT = Layout(
    title="VIPeR",
    required=tuple(CAMERAS),
    tree="""
cam_a/000_45.bmp ...
cam_b/000_45.bmp ...
""",
    folder_names=("VIPeR", "viper", "viper/VIPeR"),
)

PUBLISHED = {
    "train": SplitCounts(images=632, persons=316, cameras=2),
    "query": SplitCounts(images=316, persons=316, cameras=1),
    "gallery": SplitCounts(images=316, persons=316, cameras=1),
}
PUBLISHED_TOTAL = SplitCounts(images=1264, persons=632, cameras=2)

_FILE_NAME = re.compile(r"(?P<person>\d+)_\d+")


def read(root: Path, choice: SplitChoice) -> Reading:
    """Lists the data set's images and draws half of the persons for the test; `Dataset.read`.

    Person IDs are the numbers of the file names plus 1, because those begin with 0, which is the
    ID of distractors.

    Raises:
        UsageError: There is no such split.
        MissingPathError: The two folders are not there.
        DataError: A folder has no images, or a file is not named as the data set names them.
    """
    folder = LAYOUT.locate(root)
    images = [image for name in CAMERAS for image in list_images(folder / name, (".bmp",))]
    rows, split = draw_random_half([_row(folder, image) for image in images], choice)
    return Reading(rows, "random_half", PUBLISHED, PUBLISHED_TOTAL, split)


def _row(folder: Path, image: Path) -> Row:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of VIPeR was expected: <person>_<angle>.bmp, as in 000_45.bmp; "
            "rename or remove the file"
        )
    return Row(
        image_path=str(image),
        person_id=int(match["person"]) + 1,
        camera_id=CAMERAS[image.parent.name],
        split="train",
        key=key_of("viper", image, folder),
    )


DATASET = Dataset(
    name="viper",
    title="VIPeR (Gray et al., PETS 2007)",
    kind="reid",
    obtain="From its authors at the University of California, Santa Cruz; unpack VIPeR.v1.0.zip.",
    licence="Published for research; read its notes before any other use.",
    read=read,
    options=TRAIN_ON_ALL,
    several_splits=True,
)
