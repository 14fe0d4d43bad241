"""DukeMTMC-reID: 36,411 images of 1,812 persons before eight cameras of a campus."""

import re
from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.split_folders import SPLIT_FOLDERS, FileNames, read_split_folders

LAYOUT = Layout(
    title="DukeMTMC-reID",
    required=tuple(SPLIT_FOLDERS.values()),
    tree="""
bounding_box_train/0001_c2_f0046182.jpg ...
query/0005_c2_f0046985.jpg ...
bounding_box_test/0002_c1_f0044158.jpg ...
""",
    folder_names=("DukeMTMC-reID", "dukemtmc-reid", "dukemtmc"),
)

PUBLISHED = {
    "train": SplitCounts(images=16522, persons=702, cameras=8, junk=0, distractors=0),
    "query": SplitCounts(images=2228, persons=702, cameras=8, junk=0, distractors=0),
    # 408 of these persons are distractors with IDs of their own.
    "gallery": SplitCounts(images=17661, persons=1110, cameras=8, junk=0, distractors=0),
}

FILE_NAMES = FileNames(
    LAYOUT.title,
    re.compile(r"(?P<person>\d{4,})_c(?P<camera>[1-9]\d*)_f\d+"),
    "<person>_c<camera>_f<frame>.jpg, as in 0001_c2_f0046182.jpg",
)


def read(root: Path) -> Reading:
    """Lists the data set's images; `Dataset.read`.

    Raises:
        MissingPathError: The three folders are not there.
        DataError: A folder has no images, or a file is not named as the data set names them.
    """
    rows = read_split_folders("dukemtmc", LAYOUT.locate(root), FILE_NAMES)
    return Reading(rows, published=PUBLISHED)


DATASET = Dataset(
    name="dukemtmc",
    title="DukeMTMC-reID (Zheng et al., ICCV 2017)",
    kind="reid",
    obtain="Not to be had: its authors withdrew it. Only a copy that you already hold is read.",
    licence="Withdrawn in 2019; respect that where you can choose another data set.",
    read=read,
)
