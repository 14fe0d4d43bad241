"""CUHK03: 1,467 persons before five pairs of cameras, in detected or in hand-drawn boxes.

Two protocols are in use, and their figures do not compare. `new` fixes one split into 767 and 700
persons (Zhong et al., CVPR 2017). `classic` means over 20 published splits with 100 test persons
each, where camera 1 of a pair asks and camera 2 answers (Li et al., CVPR 2014).
"""

import re
from dataclasses import replace
from pathlib import Path

from tfreid.datasets.cuhk03_mat import MatImage, list_images, read_test_sets
from tfreid.datasets.dataset import REID_SPLITS, Dataset
from tfreid.datasets.layout import Layout, locate_any
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.datasets.split_folders import SPLIT_FOLDERS, FileNames, read_split_folders
from tfreid.datasets.splits import SplitChoice, assign_two_cameras, published_split
from tfreid.errors import DataError, MissingPathError

MAT = "cuhk-03.mat"
CONFIG = "cuhk03_new_protocol_config_{boxes}.mat"

MAT_LAYOUT = Layout(
    title="CUHK03",
    required=(MAT,),
    tree=f"""
{MAT}
{CONFIG.format(boxes="{detected,labeled}")} (here or one folder up;
    for the new protocol)
""",
    folder_names=("cuhk03_release", "cuhk03/cuhk03_release", "CUHK03/cuhk03_release"),
)


def _extracted_layout(boxes: str) -> Layout:
    return Layout(
        title="extracted CUHK03",
        required=tuple(f"{boxes}/{name}" for name in SPLIT_FOLDERS.values()),
        tree="".join(f"{boxes}/{name}/0001_c1_301.png ...\n" for name in SPLIT_FOLDERS.values()),
        folder_names=("cuhk03-np", "CUHK03-NP", "cuhk03", "CUHK03"),
    )


FILE_NAMES = FileNames(
    "extracted CUHK03",
    re.compile(r"(?P<person>\d{4,})_c(?P<camera>[12])_\w+"),
    "<person>_c<camera 1 or 2>_<n>.png, as in 0001_c1_301.png",
)

_NEW_IMAGES = {"detected": (7365, 1400, 5332), "labeled": (7368, 1400, 5328)}
_NEW_PERSONS = (767, 700, 700)
_CLASSIC = {
    "train": SplitCounts(None, persons=1367),
    "query": SplitCounts(None, persons=100, cameras=1),
    "gallery": SplitCounts(None, persons=100, cameras=1),
}


def read(
    root: Path, choice: SplitChoice, boxes: str = "detected", protocol: str = "new"
) -> Reading:
    """Lists the images of one kind of boxes; `Dataset.read`.

    In `cuhk-03.mat`, person 17 of pair 2 is 2017, whatever the boxes; extracted images keep the
    IDs of their names. Camera IDs are 1 and 2, the cameras of the pair.

    Args:
        root: Holds the extracted folders or `cuhk-03.mat`, or a usual folder with these.
        choice: The split of `classic`.
        boxes: `detected` or `labeled`.
        protocol: `new` or `classic`, which only `cuhk-03.mat` knows.

    Raises:
        UsageError: There is no such split.
        MissingPathError: There is no layout that serves the protocol.
        DataError: A file is damaged, has a foreign name or does not belong to the others.
    """
    if protocol == "classic":
        return _classic(MAT_LAYOUT.locate(root) / MAT, boxes, choice)
    layout, folder = locate_any((_extracted_layout(boxes), MAT_LAYOUT), root)
    published = {
        split: SplitCounts(images, persons, cameras=2, junk=0, distractors=0)
        for split, images, persons in zip(
            REID_SPLITS, _NEW_IMAGES[boxes], _NEW_PERSONS, strict=True
        )
    }
    if layout is MAT_LAYOUT:
        return replace(_new(folder, boxes), published=published)
    rows = read_split_folders("cuhk03", folder, FILE_NAMES, within=boxes)
    return Reading(rows, published=published)


def _classic(mat: Path, boxes: str, choice: SplitChoice) -> Reading:
    rows = [_row(image, mat, "train") for image in list_images(mat, boxes)]
    split = published_split({row.person_id for row in rows}, read_test_sets(mat), choice)
    return Reading(
        sorted(assign_two_cameras(rows, split.test_persons, 1), key=lambda row: row.key),
        protocol="cuhk03_classic",
        published=_CLASSIC,
        published_total=SplitCounts(sum(_NEW_IMAGES[boxes]), persons=1467, cameras=2),
        split=split,
    )


def _new(folder: Path, boxes: str) -> Reading:
    mat, config = folder / MAT, _config(folder, boxes)
    images = {image.name: image for image in list_images(mat, boxes)}
    rows = []
    for split, names in _names_by_split(config).items():
        strangers = [name for name in names if name not in images]
        if strangers:
            raise DataError(
                f"{config} names {strangers[0]} ({len(strangers):,} such images), which {mat} "
                f"has not among the {boxes}: the files do not belong together"
            )
        rows += [_row(images[name], mat, split) for name in names]
    unused = len(images) - len(rows)
    excluded = {"which the new protocol does not name": unused} if unused else {}
    return Reading(sorted(rows, key=lambda row: row.key), excluded=excluded)


def _config(folder: Path, boxes: str) -> Path:
    name = CONFIG.format(boxes=boxes)
    for path in (folder / name, folder.parent / name):
        if path.is_file():
            return path
    raise MissingPathError(
        f"no {name} in {folder} or one folder up: the new protocol needs it beside {MAT}; get it "
        f"from the protocol's authors, or choose the other protocol, cuhk03:classic"
    )


def _names_by_split(config: Path) -> dict[str, list[str]]:
    """Reads the new protocol: the names of the images of each split, without extension."""
    from scipy.io import loadmat

    try:
        values = loadmat(config)
        names = [Path(cell.item()).stem for cell in values["filelist"].flat]
        numbers = {split: values[f"{split}_idx"].ravel().astype(int) for split in REID_SPLITS}
        if min(found.min() for found in numbers.values()) < 1:
            raise ValueError("image numbers below 1")
        return {split: [names[n - 1] for n in found] for split, found in numbers.items()}
    except Exception as error:  # whatever SciPy raises on damaged files
        raise DataError(
            f"{config}: expected a MATLAB file with train_idx, query_idx and gallery_idx, numbers "
            f"from 1 into the image names of filelist, found otherwise ({error}): get it again"
        ) from error


def _row(image: MatImage, mat: Path, split: str) -> Row:
    return Row(
        image_path=str(mat),
        person_id=image.person_id,
        camera_id=image.camera_id,
        split=split,
        key=f"cuhk03/{image.boxes}/{image.name}",
        image_part=image,
    )


DATASET = Dataset(
    name="cuhk03",
    title="CUHK03 (Li et al., CVPR 2014)",
    kind="reid",
    obtain="From its authors, on request: "
    "http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html; the new protocol's lists, or its "
    "extracted images, from https://github.com/zhunzhong07/person-re-ranking.",
    licence="For academic research only; not to be passed on.",
    read=read,
    options={"boxes": ("detected", "labeled"), "protocol": ("new", "classic")},
    several_splits=True,
    one_split_choices=("new",),
    published_splits=True,
)
