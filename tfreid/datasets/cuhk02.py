"""CUHK02: 1,816 persons of a campus before five pairs of cameras."""

import re
from pathlib import Path

from tfreid.datasets.dataset import TRAIN_ON_ALL, Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.errors import DataError

PAIRS = (1, 2, 3, 4, 5)
TEST_PAIR = 5
PERSONS_OF_A_PAIR = 10_000
"""Person IDs of pair p are these times p, plus the number of the file name."""

LAYOUT = Layout(
    title="CUHK02",
    required=tuple(f"P{pair}/cam{camera}" for pair in PAIRS for camera in (1, 2)),
    tree="""
P1/{cam1,cam2}/001_0001.png ...
P2/, P3/, P4/ and P5/ likewise
""",
    folder_names=("Dataset", "CUHK02", "CUHK02/Dataset", "cuhk02", "cuhk02/Dataset"),
)

_TEST = {
    "query": SplitCounts(images=478, persons=239, cameras=1),
    "gallery": SplitCounts(images=478, persons=239, cameras=1),
}
PUBLISHED = {
    "with_p1": {"train": SplitCounts(images=6308, persons=1577, cameras=8), **_TEST},
    "without_p1": {"train": SplitCounts(images=2424, persons=606, cameras=6), **_TEST},
}
PUBLISHED_TOTAL = {
    "with_p1": SplitCounts(images=7264, persons=1816, cameras=10),
    "without_p1": SplitCounts(images=3380, persons=845, cameras=8),
}

_FILE_NAME = re.compile(r"(?P<person>\d{1,4})_.+")


def read(root: Path, pairs: str = "with_p1") -> Reading:
    """Lists the data set's images, those of pair P5 as the test; `Dataset.read`.

    Persons are numbered within a pair, so their IDs here begin with the pair: 20017 is person 17
    of P2. Pair p has the cameras 2p-1 and 2p.

    Args:
        root: The folder of the pairs, or its parent.
        pairs: `without_p1` leaves out the first pair, whose 971 persons are those of CUHK01, so
            that a joint set with both does not label them twice.

    Raises:
        MissingPathError: The folders of the cameras are not there.
        DataError: A folder has no images, or a file is not named as the data set names them.
    """
    folder = LAYOUT.locate(root)
    rows = [row for pair in PAIRS for row in _pair_rows(folder, pair)]
    kept = [row for row in rows if pairs == "with_p1" or row.camera_id > 2]
    left_out = len(rows) - len(kept)
    return Reading(
        sorted(kept, key=lambda row: row.key),
        published=PUBLISHED[pairs],
        published_total=PUBLISHED_TOTAL[pairs],
        excluded={"of pair P1, the persons of CUHK01": left_out} if left_out else {},
    )


def _pair_rows(folder: Path, pair: int) -> list[Row]:
    return [
        Row(
            image_path=str(image),
            person_id=PERSONS_OF_A_PAIR * pair + _person(image),
            camera_id=2 * (pair - 1) + camera,
            split="train" if pair != TEST_PAIR else "query" if camera == 1 else "gallery",
            key=key_of("cuhk02", image, folder),
        )
        for camera in (1, 2)
        for image in list_images(folder / f"P{pair}" / f"cam{camera}", (".png",))
    ]


def _person(image: Path) -> int:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of CUHK02 was expected: <person>_<image>.png, as in "
            "001_0001.png; rename or remove the file"
        )
    return int(match["person"])


DATASET = Dataset(
    name="cuhk02",
    title="CUHK02 (Li and Wang, CVPR 2013)",
    kind="reid",
    obtain="From its authors' page, http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html, on "
    "request; its P1 shows the persons of CUHK01: join that with cuhk02:without_p1.",
    licence="Published for research; read its page before any other use.",
    read=read,
    options={"pairs": tuple(PUBLISHED), **TRAIN_ON_ALL},
)
