"""The embedded synthetic data set: what the generator wrote, masks included."""

from pathlib import Path

from tfreid.datasets import market1501
from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout
from tfreid.datasets.masks import attach_masks
from tfreid.datasets.reading import Reading
from tfreid.datasets.split_folders import SPLIT_FOLDERS, read_split_folders

LAYOUT = Layout(
    title="synthetic",
    required=(
        *(f"market1501/{name}" for name in SPLIT_FOLDERS.values()),
        "masks",
        "synthetic.json",
    ),
    tree="""
market1501/{bounding_box_train,query,bounding_box_test}/0002_c1s1_000451_03.jpg ...
masks/{bounding_box_train,query,bounding_box_test}/0002_c1s1_000451_03.png ...
synthetic.json
(python -m tfreid.synthesize --out=FOLDER writes it)
""",
)


def read(root: Path) -> Reading:
    """Lists the generated re-identification images with their masks; `Dataset.read`.

    Raises:
        MissingPathError: The generator's folders are not there.
        DataError: A folder has no images, or a file has a foreign name.
    """
    folder = LAYOUT.locate(root)
    rows = read_split_folders("synthetic", folder / "market1501", market1501.FILE_NAMES)
    return Reading(attach_masks(rows, folder / "masks"))


DATASET = Dataset(
    name="synthetic",
    title="Embedded synthetic persons (drawn, not photographed)",
    kind="reid",
    obtain="python -m tfreid.synthesize --out=FOLDER",
    licence="As this software: Apache-2.0. Results on it say nothing about real persons.",
    read=read,
    mask_vocabulary="lip20",
)
