"""COCO: every person with an outline, cut out of the photo, with a binary mask."""

import json
import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfreid.datasets.dataset import PARSING_SPLITS, Dataset
from tfreid.datasets.layout import Layout, number_unused
from tfreid.datasets.parts import Box, RunLengths
from tfreid.datasets.reading import Reading
from tfreid.datasets.row import ParsingRow
from tfreid.errors import DataError

LAYOUT = Layout(
    title="COCO",
    required=(
        *(f"annotations/instances_{split}2017.json" for split in PARSING_SPLITS),
        *(f"{split}2017" for split in PARSING_SPLITS),
    ),
    tree="""
annotations/{instances_train2017,instances_val2017}.json
train2017/000000000009.jpg ...
val2017/000000000139.jpg ...
""",
    folder_names=("coco", "COCO", "coco2017", "COCO2017", "MSCOCO"),
)

_CROWD = "crowds under one outline"
_NOBODY = "photos without any person that is kept"
_log = logging.getLogger(__name__)


def read(root: Path, min_height: str = "min64px") -> Reading:
    """Lists the persons that have an outline of their own; `Dataset.read`.

    Each file of annotations is read whole, which takes several times its size in memory.

    Args:
        root: The data set's folder or its parent.
        min_height: Of a person's box, in the photo; who is lower is left out.

    Raises:
        MissingPathError: The annotations or the folders of photos are not there.
        DataError: A file is not what COCO's annotations of objects are.
    """
    folder = LAYOUT.locate(root)
    min_height_px, excluded = int(min_height.removeprefix("min").removesuffix("px")), Counter()
    rows = []
    for split in PARSING_SPLITS:
        path = folder / f"annotations/instances_{split}2017.json"
        _log.info("reading %s", path)
        try:
            kept = list(_rows(path, split, min_height_px, excluded))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise DataError(
                f"{path} does not hold annotations of objects in COCO's form: get the file anew "
                f"({type(error).__name__}: {error})"
            ) from error
        excluded[_NOBODY] += number_unused(folder / f"{split}2017", kept)
        rows += kept
    return Reading(sorted(rows, key=lambda row: row.key), excluded=+excluded)


def _rows(
    path: Path, split: str, min_height_px: int, excluded: Counter[str]
) -> Iterator[ParsingRow]:
    with path.open(encoding="utf-8") as file:
        content = json.load(file)
    photos = {photo["id"]: photo for photo in content["images"]}
    persons = {kind["id"] for kind in content["categories"] if kind["name"] == "person"}
    photos_folder = path.parent.parent / f"{split}2017"
    for found in content["annotations"]:
        if found["category_id"] not in persons:
            continue
        if found.get("iscrowd"):
            excluded[_CROWD] += 1
        elif found["bbox"][3] < min_height_px:
            excluded[f"lower than {min_height_px} px"] += 1
        else:
            yield _row(found, photos[found["image_id"]], photos_folder, path, split)


def _row(
    found: Mapping[str, Any], photo: Mapping[str, Any], photos: Path, annotations: Path, split: str
) -> ParsingRow:
    name, height, width = photo["file_name"], photo["height"], photo["width"]
    box = _box(*found["bbox"])
    counts = _run_lengths(found, height, width)
    return ParsingRow(
        image_path=str(photos / name),
        mask_path=str(annotations),
        split=split,
        key=f"coco_person/{photos.name}/{Path(name).stem}_{found['id']}",
        image_part=box,
        mask_part=RunLengths(height, width, counts, box),
    )


def _box(left: float, top: float, width: float, height: float) -> Box:
    """Returns the least box of whole pixels around one between them."""
    first_column, first_row = math.floor(left), math.floor(top)
    return Box(
        first_column,
        first_row,
        math.ceil(left + width) - first_column,
        math.ceil(top + height) - first_row,
    )


def _run_lengths(found: Mapping[str, Any], height: int, width: int) -> bytes:
    """Returns an outline in the compressed code: polygons or run lengths, compressed or not.

    Raises:
        ValueError: It is none of these, or not of the image's size.
    """
    from pycocotools import mask

    outline, size = found["segmentation"], [height, width]
    try:
        if isinstance(outline, list):
            return mask.merge(mask.frPyObjects(outline, height, width))["counts"]
        if isinstance(outline["counts"], list):
            whole = sum(outline["counts"]) == height * width
            counts = mask.frPyObjects(outline, height, width)["counts"]
        else:  # pycocotools would leave to chance what no run reaches
            counts = outline["counts"].encode()
            whole = mask.encode(mask.decode({"size": size, "counts": counts}))["counts"] == counts
    except Exception as error:  # pycocotools raises many types, some of them plain Exception
        raise ValueError(f"annotation {found['id']} has no outline: {error!r}") from error
    if outline["size"] != size or not whole:
        raise ValueError(f"the outline of annotation {found['id']} is of another size than {size}")
    return counts


DATASET = Dataset(
    name="coco_person",
    title="COCO 2017, its persons (Lin et al., ECCV 2014), for parsers",
    kind="parsing",
    obtain="From its authors' page, https://cocodataset.org: the images of 2017 train and val and "
    "their annotations.",
    licence="The annotations are under CC BY 4.0; the photos under the terms that Flickr's users "
    "chose.",
    read=read,
    options={"min_height": ("min64px", "min32px", "min128px")},
    mask_vocabulary="binary",
)
