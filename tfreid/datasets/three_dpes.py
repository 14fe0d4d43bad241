"""3DPeS: 192 persons before eight outdoor cameras that do not overlap."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tfreid.datasets.dataset import TRAIN_ON_ALL, Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import Row
from tfreid.datasets.splits import SplitChoice, draw_random_half
from tfreid.errors import DataError

IMAGES = "RGB"
TEST_PERSONS = 100

LAYOUT = Layout(
    title="3DPeS",
    required=(IMAGES,),
    tree=f"{IMAGES}/1_1_FRAME_23_RGB.bmp, 1_2_FRAME_61_RGB.bmp ... (<person>_<view>_...)",
    folder_names=("3DPeS", "3dpes"),
)

PUBLISHED = {
    "train": SplitCounts(images=None, persons=92),
    "query": SplitCounts(images=None, persons=100),
    "gallery": SplitCounts(images=None, persons=100),
}
PUBLISHED_TOTAL = SplitCounts(images=1011, persons=192)

_FILE_NAME = re.compile(r"(?P<person>0*[1-9]\d*)_(?P<view>[^_]+)_.+")


def read(root: Path, choice: SplitChoice) -> Reading:
    """Lists the data set's images and draws 100 persons for the test; `Dataset.read`.

    The file names number the views of a person, not the cameras. As in the protocol that PGP
    follows, half of a person's views act as camera 1, the others as camera 2. Which half is not
    published; here it is the first in the order of the views, without the middle one. A person
    with one view is not tested.

    Raises:
        UsageError: There is no such split.
        MissingPathError: The folder is not there.
        DataError: It has no images, a file is not named as the data set names them, or there are
            too few persons with two views.
    """
    folder = LAYOUT.locate(root)
    images = list_images(folder / IMAGES, (".bmp",))
    rows, split = draw_random_half(_rows(folder, images), choice, TEST_PERSONS)
    return Reading(rows, "random_half", PUBLISHED, PUBLISHED_TOTAL, split)


def _rows(folder: Path, images: Iterable[Path]) -> list[Row]:
    seen = [(image, *_person_and_view(image)) for image in images]
    views: dict[int, set[str]] = defaultdict(set)
    for _, person, view in seen:
        views[person].add(view)
    first_half = {person: _first_half(found) for person, found in views.items()}
    return [
        Row(
            image_path=str(image),
            person_id=person,
            camera_id=1 if view in first_half[person] else 2,
            split="train",
            key=key_of("3dpes", image, folder),
        )
        for image, person, view in seen
    ]


def _person_and_view(image: Path) -> tuple[int, str]:
    match = _FILE_NAME.fullmatch(image.stem)
    if match is None:
        raise DataError(
            f"{image}: a file name of 3DPeS was expected: <person>_<view>_<anything>.bmp, persons "
            "from 1, as in 1_1_FRAME_23_RGB.bmp; rename or remove the file"
        )
    return int(match["person"]), match["view"]


def _first_half(views: set[str]) -> set[str]:
    """Returns the first views in the order of their numbers, without the middle one."""
    ordered = sorted(views, key=lambda view: (len(view), view))
    return set(ordered[: len(ordered) // 2])


DATASET = Dataset(
    name="3dpes",
    title="3DPeS (Baltieri et al., J-HGBU 2011)",
    kind="reid",
    obtain="From its authors' page, http://www.openvisor.org/3dpes.asp; the snapshots for "
    "re-identification.",
    licence="Published for research; read its page before any other use.",
    read=read,
    options=TRAIN_ON_ALL,
    several_splits=True,
)
