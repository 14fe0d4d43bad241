"""Partial-iLIDS: parts of 119 persons in an airport, to be found among whole ones."""

from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, locate_any
from tfreid.datasets.occluded import read_folders
from tfreid.datasets.reading import Reading, SplitCounts


def _layout(query: str, gallery: str) -> Layout:
    return Layout(
        title="Partial-iLIDS",
        required=(query, gallery),
        tree=f"{query}/001_1.jpg ...\n{gallery}/001_2.jpg ...",
        folder_names=("Partial_iLIDS", "Partial-iLIDS", "PartialiLIDS", "partial_ilids"),
    )


LAYOUTS = (_layout("query", "gallery"), _layout("Probe", "Gallery"))

# As FPR, Table 2, counts; copies with one image a person in each folder exist as well.
_COUNTS = SplitCounts(images=238, persons=119, junk=0, distractors=0)
PUBLISHED = {"query": _COUNTS, "gallery": _COUNTS}


def read(root: Path) -> Reading:
    """Lists the data set's images; `Dataset.read`.

    Raises:
        MissingPathError: The two folders are not there.
        DataError: A folder has no images, or a file is not named after a person.
    """
    layout, folder = locate_any(LAYOUTS, root)
    places = dict(zip(("query", "gallery"), layout.required, strict=True))
    rows = read_folders("partial_ilids", folder, places)
    return Reading(rows, protocol="no_camera", published=PUBLISHED)


DATASET = Dataset(
    name="partial_ilids",
    title="Partial-iLIDS (He et al., CVPR 2018), for tests",
    kind="reid",
    obtain="From the authors of Deep Spatial Feature Reconstruction (CVPR 2018), on request.",
    licence="Made of i-LIDS images, which have terms of their own; ask before any use.",
    read=read,
)
