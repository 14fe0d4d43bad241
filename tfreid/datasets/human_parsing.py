"""HumanParsing (ATR): persons in daily photos and fashion shots with 18-class label maps."""

from pathlib import Path

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, key_of, list_images
from tfreid.datasets.reading import Reading
from tfreid.datasets.row import ParsingRow
from tfreid.datasets.splits import SplitChoice, draw_images
from tfreid.errors import DataError

IMAGES = "JPEGImages"
LABELS = "SegmentationClassAug"

LAYOUT = Layout(
    title="HumanParsing",
    required=(IMAGES, LABELS),
    tree=f"""
{IMAGES}/2500_1.jpg ...
{LABELS}/2500_1.png ...
""",
    folder_names=("humanparsing", "HumanParsing", "HumanParsing-Dataset", "human_parsing", "ATR"),
)

TEST_SHARE = 0.1
"""Of the images, those drawn for the test (PGP, section 4.6)."""


def read(root: Path, choice: SplitChoice) -> Reading:
    """Lists the images that have a label map; `Dataset.read`.

    The data set names no test images. A tenth is drawn, as PGP does; which, it does not say.

    Args:
        root: The data set's folder or its parent.
        choice: The seed of the split.

    Raises:
        UsageError: There is no such split.
        MissingPathError: The two folders are not there.
        DataError: There are no images, or none of them has a label map.
    """
    folder = LAYOUT.locate(root)
    images = list_images(folder / IMAGES, (".jpg",))
    labels = {path.stem: path for path in list_images(folder / LABELS, (".png",))}
    rows = [_row(folder, image, labels[image.stem]) for image in images if image.stem in labels]
    if not rows:
        raise DataError(
            f"no image of {folder / IMAGES} has a label map: that of {images[0].name} "
            f"would be {folder / LABELS / images[0].stem}.png"
        )
    rows, split = draw_images(sorted(rows, key=lambda row: row.key), TEST_SHARE, choice)
    without = len(images) - len(rows)
    return Reading(rows, split=split, excluded={"without a label map": without} if without else {})


def _row(folder: Path, image: Path, labels: Path) -> ParsingRow:
    return ParsingRow(
        image_path=str(image),
        mask_path=str(labels),
        split="train",
        key=key_of("human_parsing", image, folder),
    )


DATASET = Dataset(
    name="human_parsing",
    title="HumanParsing, ATR (Liang et al., ICCV 2015), for parsers",
    kind="parsing",
    obtain="From its authors, on GitHub: lemondan/HumanParsing-Dataset.",
    licence="Published for research; read its page before any other use.",
    read=read,
    mask_vocabulary="atr18",
    several_splits=True,
)
