"""LIP, Look Into Person: persons in everyday scenes with 20-class label maps."""

from pathlib import Path

from tfreid.datasets.dataset import PARSING_SPLITS, Dataset
from tfreid.datasets.layout import Layout, pass_over, text_of
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import ParsingRow
from tfreid.errors import DataError, MissingPathError

IMAGES = "TrainVal_images"
LABELS = "TrainVal_parsing_annotations"

LAYOUT = Layout(
    title="LIP",
    required=(
        *(f"{IMAGES}/{split}_images" for split in PARSING_SPLITS),
        *(f"{LABELS}/{split}_segmentations" for split in PARSING_SPLITS),
    ),
    tree=f"""
{IMAGES}/{{train_images,val_images}}/*.jpg
{LABELS}/{{train_segmentations,val_segmentations}}/*.png
train_id.txt, val_id.txt (here or in {IMAGES}/)
""",
    folder_names=("LIP", "lip"),
)

PUBLISHED = {"train": SplitCounts(images=30462), "val": SplitCounts(images=10000)}


def read(root: Path) -> Reading:
    """Lists the images that `train_id.txt` and `val_id.txt` name; `Dataset.read`.

    A listed file that is missing is not noticed here: it fails where it is opened, as any
    damaged file does.

    Raises:
        MissingPathError: The folders or the lists are not there.
        DataError: A list is empty or no UTF-8 text.
    """
    folder = LAYOUT.locate(root)
    rows = [row for split in PARSING_SPLITS for row in _split_rows(folder, split)]
    return Reading(sorted(rows, key=lambda row: row.key), published=PUBLISHED)


def _split_rows(folder: Path, split: str) -> list[ParsingRow]:
    images = folder / IMAGES / f"{split}_images"
    labels = folder / LABELS / f"{split}_segmentations"
    names = _listed_names(folder, split)
    listed = set(names)
    for place, suffix in ((images, ".jpg"), (labels, ".png")):
        for path in sorted(place.iterdir()):
            if path.stem not in listed or path.suffix != suffix:
                pass_over(path)
    return [
        ParsingRow(
            image_path=str(images / f"{name}.jpg"),
            mask_path=str(labels / f"{name}.png"),
            split=split,
            key=f"lip/{split}_images/{name}",
        )
        for name in names
    ]


def _listed_names(folder: Path, split: str) -> list[str]:
    places = [folder / f"{split}_id.txt", folder / IMAGES / f"{split}_id.txt"]
    lists = [path for path in places if path.is_file()]
    if not lists:
        raise MissingPathError(
            f"no {split}_id.txt in {folder} or its {IMAGES}/: it lists the names of the images "
            f"of {split}_images, one a line, without extension"
        )
    names = text_of(lists[0]).split()
    if not names:
        raise DataError(f"{lists[0]} names no images: expected one name a line")
    return names


DATASET = Dataset(
    name="lip",
    title="LIP, Look Into Person (Gong et al., CVPR 2017), for parsers",
    kind="parsing",
    obtain="From its authors' page, https://sysu-hcp.net/lip/; unpack TrainVal_images and "
    "TrainVal_parsing_annotations into one folder.",
    licence="Published for non-commercial research; read its page before any other use.",
    read=read,
    mask_vocabulary="lip20",
)
