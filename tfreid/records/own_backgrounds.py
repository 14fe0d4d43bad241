"""Backgrounds made of a data set's own pictures: the persons are removed by inpainting.

Who was removed, and which camera saw it, stands in a file's name, so that nobody gets a background
from a picture of the same person.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tfrecords_schema import schema
from tfreid.datasets.files import LARGEST_LIMIT_MPX
from tfreid.datasets.row import JUNK_PERSON_ID
from tfreid.errors import DataError
from tfreid.records import images
from tfreid.records.entries import key_hash
from tfreid.records.records import BACKGROUNDS, POOL_OF, Records

MOST_PICTURES = 200
"""Of a pool: as many scenes as PGP's authors took are a fraction of this."""

LONGEST_SIDE_PX = 512
"""Larger pictures are scaled down first: inpainting takes time by the pixel."""

INSTALL = "python -m pip install opencv-python-headless (the extra inpainting)"
"""What makes `can_inpaint` true."""

_BORDER = 0.03
"""How far around a mask the person is removed too, as a share of the picture's longer side."""
_MOST_REMOVED = 0.9
_RADIUS_PX = 3
_NAME = re.compile(r"person(-?\d+)_camera(-?\d+)_\d+\.jpg")


def can_inpaint() -> bool:
    """Tells whether OpenCV is installed."""
    try:
        import cv2  # noqa: F401
    except ImportError:
        return False
    return True


def write_own_backgrounds(records: Records, seed: int) -> int:
    """Makes a pool of backgrounds of the training pictures, and one of those of the test.

    Args:
        records: of persons; only those with a mask are used.
        seed: chooses the pictures.

    Returns:
        The number of pictures.
    """
    made = 0
    for pool in dict.fromkeys(POOL_OF.values()):
        splits = [split for split in records.info.splits if POOL_OF.get(split) == pool]
        for number, example in enumerate(_chosen(records, splits, seed)):
            removed = _without_person(example)
            if removed is None:
                continue
            folder = records.path / BACKGROUNDS / pool
            folder.mkdir(parents=True, exist_ok=True)
            owner = f"person{example['person/id']}_camera{example['camera/id']}"
            Image.fromarray(removed).save(folder / f"{owner}_{number:03d}.jpg", quality=95)
            made += 1
    return made


def owner_of(path: Path) -> tuple[int, int]:
    """Returns who was removed from a background, person and camera ID, by its name.

    Raises:
        DataError: if the name does not say it.
    """
    found = _NAME.fullmatch(path.name)
    if not found:
        raise DataError(
            f"{path} is none of the backgrounds that the conversion made: remove it, or re-run the "
            "conversion with backgrounds_root"
        )
    return int(found[1]), int(found[2])


def _chosen(records: Records, splits: Sequence[str], seed: int) -> list[dict]:
    """The records whose pictures become backgrounds, spread over persons and cameras."""
    names = ("person/id", "camera/id", "image/key")
    places, owners, hashes = [], [], []
    for split in splits:
        columns = records.store(split).columns(names)
        masked = records.masked(split)
        for index, (person, camera, key) in enumerate(zip(*columns.values(), strict=True)):
            if masked[index] and person != JUNK_PERSON_ID and b"+background" not in key:
                places.append((split, index))
                owners.append((int(person), int(camera)))
                hashes.append(key_hash(key.decode(), seed))
    return [
        schema.decode("reid", records.store(split).read(np.array([index]))[0])
        for split, index in (places[i] for i in spread(owners, hashes)[:MOST_PICTURES])
    ]


def spread(owners: Sequence[tuple[int, int]], hashes: Sequence[int]) -> list[int]:
    """Orders pictures so that any first few are of as many persons and cameras as there are.

    Args:
        owners: person and camera of each picture.
        hashes: of each picture; decides where nothing else does.

    Returns:
        The pictures' places in that order.
    """
    order = sorted(range(len(owners)), key=hashes.__getitem__)
    for what in (lambda i: owners[i], lambda i: owners[i][0], lambda i: owners[i][1]):
        seen: Counter = Counter()
        rank = {}
        for i in order:
            rank[i] = seen[what(i)]
            seen[what(i)] += 1
        order.sort(key=rank.__getitem__)
    return order


def _without_person(example: dict) -> np.ndarray | None:
    """The picture with the person inpainted, uint8 `[height, width, 3]`; None if little is left."""
    import cv2
    import tensorflow as tf  # Whose decoder takes every record's image.

    pixels = tf.io.decode_image(example["image/encoded"], channels=3, expand_animations=False)
    image = Image.fromarray(pixels.numpy())
    mask = images.decode_file(
        example["mask/encoded"], example["image/key"], "mask", ("PNG",), LARGEST_LIMIT_MPX
    )
    classes = images.converted(np.asarray(mask), example["mask/vocabulary"], "binary")
    mask = Image.fromarray(classes * np.uint8(255))
    image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.BILINEAR)
    border = max(2, round(_BORDER * max(image.size)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * border + 1,) * 2)
    person = np.asarray(mask.resize(image.size, Image.Resampling.NEAREST))
    person = cv2.dilate(person, kernel)
    if (person > 0).mean() > _MOST_REMOVED:
        return None
    return cv2.inpaint(np.asarray(image), person, _RADIUS_PX, cv2.INPAINT_TELEA)
