"""Finding pictures that are in a data set more than once, where that would spoil a result."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from PIL import Image

from tfreid.datasets.row import Row, cameras_known

MOST_DIFFERENT_BITS = 8
"""Of a look's 256 bits, those in which saving a picture again, smaller or coarser, may differ."""

_LOOK_PX = (17, 16)  # width, height
_BANDS = MOST_DIFFERENT_BITS + 1  # two looks that differ in so few bits share one of the bands
_MOST_ALIKE = 50  # a band shared by more says nothing of the picture


def fingerprint_of(image: Image.Image) -> tuple[bytes, int]:
    """Returns two fingerprints of an RGB image: of its pixels, and of its look.

    The look says of neighbouring places of the shrunk image which one is brighter: 256 bits that
    survive another format, size or quality; 0 of an image without any difference.
    """
    digest = hashlib.blake2b(image.tobytes(), digest_size=16, salt=b"%dx%d" % image.size).digest()
    grey = np.asarray(image.convert("L").resize(_LOOK_PX, Image.Resampling.BOX), np.int16)
    return digest, int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")


def copies(
    rows: Sequence[Row], fingerprints: Sequence[tuple[bytes, int] | None]
) -> tuple[list[str], list[str]]:
    """Finds pictures that are in query and gallery, or in training and test.

    What the protocol leaves out, gallery images of the query's person and camera, does not count.

    Args:
        rows: The rows.
        fingerprints: As of `fingerprint_of` for each row; None where the image cannot be read.

    Returns:
        The pairs of equal and those of nearly equal pictures, named by their keys.
    """
    with_cameras = cameras_known(rows)
    same, near = [], []
    for one, other in sorted(_candidates(fingerprints)):
        if not _spoils(rows[one], rows[other], with_cameras):
            continue
        (digest, look), (other_digest, other_look) = fingerprints[one], fingerprints[other]
        pair = f"{rows[one].key} ({rows[one].split}) and {rows[other].key} ({rows[other].split})"
        if digest == other_digest:
            same.append(pair)
        elif _differ_little(look, other_look):
            near.append(pair)
    return same, near


def _candidates(fingerprints: Sequence[tuple[bytes, int] | None]) -> set[tuple[int, int]]:
    """Returns the pairs of places that share the pixels or a part of a look that says something."""
    groups: dict[object, list[int]] = defaultdict(list)
    for place, found in enumerate(fingerprints):
        if found is not None:
            for part in _parts(*found):
                groups[part].append(place)
    return {
        pair
        for part, places in groups.items()
        if isinstance(part, bytes) or len(places) <= _MOST_ALIKE
        for pair in combinations(places, 2)
    }


def _parts(digest: bytes, look: int) -> Iterator[object]:
    yield digest
    width = -(-256 // _BANDS)
    for band in range(_BANDS if look else 0):
        yield band, look >> band * width & ((1 << width) - 1)


def _differ_little(look: int, other: int) -> bool:
    return bin(look ^ other).count("1") <= MOST_DIFFERENT_BITS and bool(look and other)


def _spoils(one: Row, other: Row, with_cameras: bool) -> bool:
    splits = {one.split, other.split}
    if "train" in splits:
        return len(splits) > 1
    own = one.person_id == other.person_id and one.camera_id == other.camera_id
    return splits == {"query", "gallery"} and not (with_cameras and own)
