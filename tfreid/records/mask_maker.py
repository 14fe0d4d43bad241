"""What conversion expects of whatever makes masks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

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


def write_reasons(found: Iterable[tuple[str, str]], path: Path) -> None:
    """Writes which images were left out, key and reason, a line of JSON each."""
    with path.open("w", encoding="utf-8") as file:
        for key, reason in sorted(found):
            file.write(json.dumps({"key": key, "reason": reason}) + "\n")
