"""Market-1501: 32,668 detections of 1,501 persons before six cameras of a supermarket."""

import re
from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.split_folders import SPLIT_FOLDERS, FileNames, read_split_folders

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

FILE_NAMES = FileNames(
    LAYOUT.title,
    re.compile(r"(?P<person>-1|\d{4,})_c(?P<camera>[1-9]\d*)s\d+_\d+_\d+"),
    "<person>_c<camera>s<sequence>_<frame>_<box>.jpg, as in 0002_c1s1_000451_03.jpg, "
    "with person -1 for junk and 0000 for distractors",
)


def read(root: Path) -> Reading:
    """Lists the data set's images, junk (-1) and distractors (0) included; `Dataset.read`.

    Raises:
        MissingPathError: The three folders are not there.
        DataError: A folder has no images, or a file is not named as the data set names them.
    """
    rows = read_split_folders("market1501", LAYOUT.locate(root), FILE_NAMES)
    return Reading(rows, published=PUBLISHED)


DATASET = Dataset(
    name="market1501",
    title="Market-1501 (Zheng et al., ICCV 2015)",
    kind="reid",
    obtain="From its authors' page, https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html; "
    "unpack Market-1501-v15.09.15.zip.",
    licence="Published for research; read its page before any other use.",
    read=read,
)
