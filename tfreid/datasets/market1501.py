"""Market-1501: 32,668 detections of 1,501 persons before six cameras of a supermarket."""

import re
from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.errors import DataError

SPLIT_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}

LAYOUT = Layout(
    title="Market-1501",
    required=tuple(SPLIT_FOLDERS.values()),
    tree="""
bounding_box_train/0002_c1s1_000451_03.jpg ...
query/0001_c1s1_001051_00.jpg ...
bounding_box_test/0000_c1s1_000151_01.jpg ...
""",
    folder_names=("Market-1501-v15.09.15", "Market-1501", "market1501"),
)

PUBLISHED = {
    "train": SplitCounts(images=12936, persons=751, cameras=6, junk=0, distractors=0),
    "query": SplitCounts(images=3368, persons=750, cameras=6, junk=0, distractors=0),
    "gallery": SplitCounts(images=19732, persons=750, cameras=6, junk=3819, distractors=2798),
}

_FILE_NAME = re.compile(r"(?P<person>-1|\d{4,})_c(?P<camera>[1-9]\d*)s\d+_\d+_\d+")


def read(root: Path) -> Reading:
    """Lists the data set's images; `Dataset.read`.

    Raises:
        MissingPathError: The three folders are not there.
        DataError: A folder has no images, or a file is not named as the data set names them.
    """
    return Reading(read_split_folders("market1501", LAYOUT.locate(root)), published=PUBLISHED)


def read_split_folders(dataset_name: str, folder: Path) -> list[Row]:
    """Lists the images of a folder in the Market-1501 layout, sorted by key.

    Args:
        dataset_name: First part of the keys.
        folder: Holds the three folders of `SPLIT_FOLDERS`.

    Returns:
        One row an image, junk (-1) and distractors (0) included.

    Raises:
        DataError: As `read`.
    """
    rows = [
        _row(dataset_name, folder, split, image)
        for split, name in SPLIT_FOLDERS.items()
        for image in list_images(folder / name, (".jpg",))
    ]
    return sorted(rows, key=lambda row: row.key)


def _row(dataset_name: str, folder: Path, split: str, image: Path) -> Row:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of the Market-1501 layout was expected: "
            "<person>_c<camera>s<sequence>_<frame>_<box>.jpg, as in 0002_c1s1_000451_03.jpg, "
            "with person -1 for junk and 0000 for distractors; rename or remove the file"
        )
    return Row(
        image_path=str(image),
        person_id=int(match["person"]),
        camera_id=int(match["camera"]),
        split=split,
        key=key_of(dataset_name, image, folder),
    )


DATASET = Dataset(
    name="market1501",
    title="Market-1501 (Zheng et al., ICCV 2015)",
    kind="reid",
    obtain="From its authors' page, https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html; "
    "unpack Market-1501-v15.09.15.zip.",
    licence="Published for research; read its page before any other use.",
    read=read,
)
