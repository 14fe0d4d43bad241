"""Miniatures of the data sets that train parsers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.datasets.hand_made import write_image, write_mask

PHOTO_PX = (120, 100)  # height, width


def human_parsing(root: Path) -> Path:
    folder = root / "humanparsing"
    for number in range(1, 12):
        write_image(folder / f"JPEGImages/2500_{number}.jpg")
        write_mask(folder / f"SegmentationClassAug/2500_{number}.png", highest=17)
    return folder


def coco_person(root: Path) -> Path:
    folder = root / "coco"
    (folder / "annotations").mkdir(parents=True)
    persons = {
        "train": [
            # A square of two triangles, one that leaves the photo, a lower person, a crowd.
            outlined(1, [[10, 10, 90, 10, 10, 90], [90, 90, 90, 10, 10, 90]], (10, 10, 80, 80)),
            outlined(2, [[60.5, 30.2, 100, 30.2, 100, 120, 60.5, 120]], (60.5, 30.2, 39.5, 89.8)),
            outlined(3, [[10, 10, 20, 10, 20, 50]], (10, 10, 10, 40)),
            outlined(4, uncompressed(slice(0, 70), slice(0, 99)), (0, 0, 99, 70), iscrowd=1),
            outlined(5, [[0, 0, 50, 0, 50, 80, 0, 80]], (0, 0, 50, 80), category_id=18),
        ],
        "val": [
            outlined(6, uncompressed(slice(20, 100), slice(30, 50)), (30, 20, 20, 80)),
            outlined(7, compressed(slice(5, 75), slice(0, 40)), (0, 5, 40, 70)),
        ],
    }
    for split, found in persons.items():
        write_photo(folder / f"{split}2017/000000000009.jpg")
        photo = {"id": 9, "file_name": "000000000009.jpg", "height": 120, "width": 100}
        kinds = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
        content = {"images": [photo], "annotations": found, "categories": kinds}
        path = folder / f"annotations/instances_{split}2017.json"
        path.write_text(json.dumps(content))
    return folder


def outlined(number: int, outline: Any, bbox: tuple[float, ...], **changes: int) -> dict[str, Any]:
    """An annotation of a person, as COCO writes it."""
    annotation = {"id": number, "image_id": 9, "category_id": 1, "iscrowd": 0}
    return annotation | {"segmentation": outline, "bbox": list(bbox)} | changes


def rectangle(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(PHOTO_PX, np.uint8)
    mask[rows, columns] = 1
    return mask


def uncompressed(rows: slice, columns: slice) -> dict[str, Any]:
    """Run lengths of a rectangle, column by column, background first."""
    pixels = rectangle(rows, columns).ravel(order="F")
    ends = [*np.flatnonzero(np.diff(pixels)) + 1, len(pixels)]
    counts = np.diff([0, *ends]).tolist()
    return {"size": list(PHOTO_PX), "counts": [0, *counts] if pixels[0] else counts}


def compressed(rows: slice, columns: slice) -> dict[str, Any]:
    from pycocotools import mask

    code = mask.encode(np.asfortranarray(rectangle(rows, columns)))
    return {"size": list(PHOTO_PX), "counts": code["counts"].decode()}


def write_photo(path: Path) -> None:
    path.parent.mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 255, (*PHOTO_PX, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
