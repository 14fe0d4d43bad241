"""Partial-REID: 60 persons on a campus, hidden or cut off, to be found among whole ones.

FPR asks with the occluded persons (section 4.2), other papers with the parts of persons: figures
of the two do not compare.
"""

from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout
from tfreid.datasets.occluded import images_below, read_folders
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.errors import MissingPathError

QUERIES = {"occluded": "occluded_body_images", "partial": "partial_body_images"}
GALLERY = "whole_body_images"


def _layout(queries: str) -> Layout:
    return Layout(
        title="Partial-REID",
        required=(queries, GALLERY),
        tree=f"""
{queries}/001_001.jpg ...
{GALLERY}/001_001.jpg ...
""",
        folder_names=("Partial_REID", "Partial-REID_Dataset", "PartialREID", "partial_reid"),
    )


LAYOUTS = {queries: _layout(folder) for queries, folder in QUERIES.items()}

_COUNTS = SplitCounts(images=300, persons=60, junk=0, distractors=0)
PUBLISHED = {"query": _COUNTS, "gallery": _COUNTS}


def read(root: Path, queries: str = "occluded") -> Reading:
    """Lists the data set's images; `Dataset.read`.

    Args:
        root: The data set's folder or its parent.
        queries: `occluded` asks with the occluded persons, as FPR does; `partial` with the parts of
            persons, which is all that some copies have.

    Raises:
        MissingPathError: The two folders are not there.
        DataError: A folder has no images, or a file is not named after a person.
    """
    folder = _locate(root, queries)
    rows = read_folders("partial_reid", folder, {"query": QUERIES[queries], "gallery": GALLERY})
    unused = [name for name in QUERIES.values() if name != QUERIES[queries]]
    excluded = {
        f"in {name}/, for another choice of queries": len(images_below(folder / name))
        for name in unused
        if (folder / name).is_dir()
    }
    return Reading(rows, protocol="no_camera", published=PUBLISHED, excluded=excluded)


def _locate(root: Path, queries: str) -> Path:
    try:
        return LAYOUTS[queries].locate(root)
    except MissingPathError as error:
        others = [name for name in QUERIES if LAYOUTS[name].find(root)]
        if not others:
            raise
        raise MissingPathError(
            f"{error}\nThis copy has the queries of partial_reid:{others[0]}: ask for that, "
            "whose figures are others"
        ) from None


DATASET = Dataset(
    name="partial_reid",
    title="Partial-REID (Zheng et al., ICCV 2015), for tests",
    kind="reid",
    obtain="From its authors (Partial Person Re-identification, ICCV 2015), on request.",
    licence="Published for research; ask its authors before any other use.",
    read=read,
    options={"queries": tuple(QUERIES)},
)
