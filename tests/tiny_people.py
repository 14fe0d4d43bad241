"""Draws a few persons of coloured rectangles in the layouts of Market-1501 and LIP."""

from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT_PX, WIDTH_PX = 32, 16
TRAIN_PERSONS, TEST_PERSONS, CAMERAS, IMAGES_PER_CAMERA = 8, 6, 2, 3
BACKGROUND_SIZE_PX = (48, 40)

# lip20 class: rows, columns. A person who faces the camera has the left arm on the right.
BODY = {
    2: (slice(2, 5), slice(6, 10)),  # hair
    13: (slice(4, 8), slice(6, 10)),  # face
    5: (slice(8, 18), slice(5, 11)),  # upper-clothes
    14: (slice(8, 17), slice(11, 13)),  # left-arm
    15: (slice(8, 17), slice(3, 5)),  # right-arm
    16: (slice(18, 28), slice(8, 11)),  # left-leg
    17: (slice(18, 28), slice(5, 8)),  # right-leg
    18: (slice(28, 30), slice(8, 12)),  # left-shoe
    19: (slice(28, 30), slice(4, 8)),  # right-shoe
}


def draw(person: int, camera: int, image: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns RGB uint8 `[32, 16, 3]` and its lip20 mask uint8 `[32, 16]`."""
    colours = np.random.default_rng([person]).integers(0, 256, (20, 3))
    scene = np.random.default_rng([1_000 + camera]).integers(64, 192, 3)
    noise = np.random.default_rng([person, camera, image]).integers(-8, 9, (HEIGHT_PX, WIDTH_PX, 3))
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    for index, place in BODY.items():
        mask[place] = index
    mask = np.roll(mask, image - 1, axis=1)
    pixels = np.where(mask[..., None] > 0, colours[mask], scene) + noise
    return np.clip(pixels, 0, 255).astype(np.uint8), mask


def save(pixels: np.ndarray, path: Path) -> None:
    """Writes an array as the path's extension says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)


def write_market(root: Path, masks_root: Path) -> None:
    """Writes the Market-1501 layout and its mirror of masks, with one distractor and one junk."""
    images = [
        ("bounding_box_train", p, c, i)
        for p in range(1, TRAIN_PERSONS + 1)
        for c in range(1, CAMERAS + 1)
        for i in range(IMAGES_PER_CAMERA)
    ]
    for person in range(TRAIN_PERSONS + 1, TRAIN_PERSONS + TEST_PERSONS + 1):
        for camera in range(1, CAMERAS + 1):
            images.append(("query", person, camera, 0))
            images += [("bounding_box_test", person, camera, i) for i in (1, 2)]
    images += [("bounding_box_test", 0, 1, 0), ("bounding_box_test", -1, 2, 0)]
    for folder, person, camera, image in images:
        pixels, mask = draw(person % 1_000, camera, image)
        number = f"{person:04d}" if person >= 0 else str(person)
        name = f"{number}_c{camera}s1_{image:06d}_00"
        save(pixels, root / folder / f"{name}.jpg")
        save(mask, masks_root / folder / f"{name}.png")


def close_up(pixels: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts out what has no background, so that a network of one step finds persons everywhere."""
    rows = BODY[14][0]
    columns = np.flatnonzero(mask[rows].all(axis=0))
    return pixels[rows, columns], mask[rows, columns]


def write_lip(root: Path) -> None:
    """Writes 12 training and 6 validation images in the LIP layout."""
    for split, persons in (("train", range(100, 112)), ("val", range(112, 118))):
        for person in persons:
            pixels, mask = close_up(*draw(person, 1 + person % CAMERAS, person % 3))
            name = f"{person:06d}"
            labels = root / "TrainVal_parsing_annotations" / f"{split}_segmentations"
            save(pixels, root / "TrainVal_images" / f"{split}_images" / f"{name}.jpg")
            save(mask, labels / f"{name}.png")
        names = "".join(f"{person:06d}\n" for person in persons)
        (root / f"{split}_id.txt").write_text(names, encoding="utf-8")


def write_backgrounds(root: Path, count: int = 3) -> None:
    """Writes scenes of coloured stripes, larger than any image."""
    height, width = BACKGROUND_SIZE_PX
    for index in range(count):
        stripes = np.random.default_rng([index]).integers(0, 256, (8, 1, 3), dtype=np.uint8)
        scene = np.repeat(np.repeat(stripes, height // 8, axis=0), width, axis=1)
        save(scene, root / f"{index:03d}.jpg")
