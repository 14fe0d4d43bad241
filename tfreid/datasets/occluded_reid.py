"""Occluded-REID: 200 persons behind obstacles, to be found among whole ones."""

from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, locate_any
from tfreid.datasets.occluded import read_folders
from tfreid.datasets.reading import Reading, SplitCounts

_FOLDER_NAMES = ("Occluded_REID", "Occluded-REID", "OccludedREID", "occluded_reid")

LAYOUTS = (
    Layout(
        title="Occluded-REID",
        required=("occluded_body_images", "whole_body_images"),
        tree="""
occluded_body_images/001/001_01.tif ... (or the images without folders of persons)
whole_body_images/001/001_06.tif ...
(*.jpg likewise)
""",
        folder_names=_FOLDER_NAMES,
    ),
    Layout(
        title="Occluded-REID",
        required=("query", "gallery"),
        tree="""
query/001_01.jpg ...
gallery/001_06.jpg ...
""",
        folder_names=_FOLDER_NAMES,
    ),
)

_COUNTS = SplitCounts(images=1000, persons=200, junk=0, distractors=0)
PUBLISHED = {"query": _COUNTS, "gallery": _COUNTS}


def read(root: Path) -> Reading:
    """Lists the data set's images; `Dataset.read`.

    Raises:
        MissingPathError: The two folders are not there.
        DataError: A folder has no images, or a file is not named after its person.
    """
    layout, folder = locate_any(LAYOUTS, root)
    places = dict(zip(("query", "gallery"), layout.required, strict=True))
    rows = read_folders("occluded_reid", folder, places)
    return Reading(rows, protocol="no_camera", published=PUBLISHED)


DATASET = Dataset(
    name="occluded_reid",
    title="Occluded-REID (Zhuo et al., ICME 2018), for tests",
    kind="reid",
    obtain="From its authors, on GitHub: "
    "tinajia2012/ICME2018_Occluded-Person-Reidentification_datasets.",
    licence="For non-commercial purposes only.",
    read=read,
)
