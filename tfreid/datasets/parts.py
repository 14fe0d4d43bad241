"""Images that are not a file of their own: where in a file they lie, and how they are read."""

from dataclasses import dataclass
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
            left, top = max(self.left, 0), max(self.top, 0)
            right = min(self.left + self.width, image.width)
            bottom = min(self.top + self.height, image.height)
            if right <= left or bottom <= top:
                raise ValueError(
                    f"expected a box inside the image's {image.width}x{image.height} pixels "
                    f"(width x height), found {self}"
                )
            return np.asarray(image.convert("RGB").crop((left, top, right, bottom)))
