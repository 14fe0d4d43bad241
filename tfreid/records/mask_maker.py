"""What conversion expects of whatever makes masks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from tfreid.datasets import VOCABULARIES
from tfreid.records.images import RejectedError, UnsureError

UNMASKED = "unmasked.jsonl"
"""File that says of which images no mask was made, and why."""

Mask = np.ndarray | RejectedError | UnsureError


class MaskMaker(Protocol):
    """Makes masks of images that have none; it travels to the workers.

    Attributes:
        name: what messages call it.
        vocabulary: vocabulary of the masks, a key of `tfreid.datasets.VOCABULARIES`.
        facts: what `dataset.json` keeps of it, plain values.
    """

    name: str
    vocabulary: str
    facts: Mapping[str, object]

    def __call__(self, images: Sequence[bytes]) -> Sequence[Mask]:
        """Makes the masks of some images; no mask depends on the others.

        Args:
            images: contents of image files.

        Returns:
            For each image the classes, uint8 `[height, width]` of its size, or, instead of a
            guess, why there is no mask: `UnsureError` where the maker is not confident,
            `RejectedError` where it cannot decode the image.
        """


def made_mask(maker: MaskMaker, image: bytes, size: tuple[int, int]) -> np.ndarray:
    """Makes the mask of one image, and holds it to what makers promise.

    Args:
        maker: makes it.
        image: content of the file.
        size: width, height of the image in pixels.

    Raises:
        UnsureError: if the maker is not confident of the image.
        RejectedError: if it cannot decode the image, or makes something else than a mask of it.
    """
    made = list(maker([image]))
    mask = made[0] if len(made) == 1 else made
    if isinstance(mask, RejectedError | UnsureError):
        raise mask
    classes = len(VOCABULARIES[maker.vocabulary])
    found = type(mask).__name__
    if isinstance(mask, np.ndarray):
        if mask.dtype == np.uint8 and mask.shape == size[::-1] and mask.max() < classes:
            return mask
        found = f"{mask.dtype} {list(mask.shape)} up to {mask.max() if mask.size else 'nothing'}"
    raise RejectedError(
        f"{maker.name} made no mask of the image: expected uint8 {list(size[::-1])} below "
        f"{classes}, the classes of {maker.vocabulary}, found {found}"
    )


def write_reasons(found: Iterable[tuple[str, str]], path: Path) -> None:
    """Writes which images were left out, key and reason, a line of JSON each."""
    with path.open("w", encoding="utf-8") as file:
        for key, reason in sorted(found):
            file.write(json.dumps({"key": key, "reason": reason}) + "\n")
