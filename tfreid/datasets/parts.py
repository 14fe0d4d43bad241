"""Images that are not a file of their own: where in a file they lie, and how they are read."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Part(Protocol):
    """A part of a file that is an image or a mask. Parts are small: they travel to workers."""

    def pixels(self, path: str) -> np.ndarray:
        """Reads the part.

        Args:
            path: The file.

        Returns:
            uint8: an image `[height, width, 3]`, or a mask of class indices `[height, width]`.

        Raises:
            OSError: The file cannot be read.
            ValueError: The part is not in it, or is damaged.
        """


@dataclass(frozen=True)
class Box:
    """A rectangle of an image file, in pixels; what lies outside the image is left out.

    Attributes:
        left: Columns left of it.
        top: Rows above it.
        width: Columns.
        height: Rows.
    """

    left: int
    top: int
    width: int
    height: int

    def pixels(self, path: str) -> np.ndarray:
        """Reads the rectangle; `Part.pixels`."""
        from PIL import Image

        with Image.open(path) as image:
            rows, columns = self.within(image.width, image.height)
            box = (columns.start, rows.start, columns.stop, rows.stop)
            return np.asarray(image.convert("RGB").crop(box))

    def within(self, width: int, height: int) -> tuple[slice, slice]:
        """Returns the rows and columns of an image that the rectangle covers.

        Raises:
            ValueError: It lies outside.
        """
        left, top = max(self.left, 0), max(self.top, 0)
        right, bottom = min(self.left + self.width, width), min(self.top + self.height, height)
        if right <= left or bottom <= top:
            raise ValueError(
                f"expected a box inside the image's {width}x{height} pixels (width x height), "
                f"found {self}"
            )
        return slice(top, bottom), slice(left, right)


@dataclass(frozen=True)
class RunLengths:
    """A piece of a binary mask in COCO's compressed run-length code.

    The code is small and is itself the mask: the annotation file that it comes from is too large
    to be opened for every mask.

    Attributes:
        height: Rows of the whole mask.
        width: Columns of the whole mask.
        counts: The run lengths, column by column, background first; they make the whole mask.
        box: The piece.
    """

    height: int
    width: int
    counts: bytes = field(repr=False)
    box: Box

    def pixels(self, path: str) -> np.ndarray:
        """Decodes the piece, 1 on the object and 0 beside it; `Part.pixels`."""
        from pycocotools import mask

        whole = mask.decode({"size": [self.height, self.width], "counts": self.counts})
        rows, columns = self.box.within(self.width, self.height)
        return np.ascontiguousarray(whole[rows, columns])
