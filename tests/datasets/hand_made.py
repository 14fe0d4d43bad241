"""Files of tiny data sets, made by hand."""

import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (16, 32)  # width, height

MARKET_FILES = (
    # Training: person 1 before cameras 1 and 2, person 2 before one, person 3 in one image.
    "bounding_box_train/0001_c1s1_000001_01.jpg",
    "bounding_box_train/0001_c2s1_000002_01.jpg",
    "bounding_box_train/0002_c1s1_000003_01.jpg",
    "bounding_box_train/0002_c1s1_000004_01.jpg",
    "bounding_box_train/0003_c3s1_000005_01.jpg",
    # Test: person 11 has a match, person 12 only before the query's own camera.
    "query/0011_c1s1_000006_00.jpg",
    "query/0012_c1s1_000007_00.jpg",
    "bounding_box_test/0011_c2s1_000008_01.jpg",
    "bounding_box_test/0012_c1s1_000009_01.jpg",
    "bounding_box_test/0000_c2s1_000010_01.jpg",
    "bounding_box_test/-1_c3s1_000011_01.jpg",
)


def write_image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32("/".join(path.parts[-4:]).encode())  # no two pictures alike
    noise = np.random.default_rng(seed).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def write_mask(path: Path, highest: int = 19, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    classes = np.linspace(0, highest, size[0] * size[1]).astype(np.uint8)
    Image.fromarray(classes.reshape(size[1], size[0])).save(path)
    return path
