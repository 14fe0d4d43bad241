"""The images of one call: where they are and what errors call them."""

import os
from collections.abc import Iterable
from pathlib import Path

from tfreid.errors import MissingPathError, UsageError
from tfreid.serving.refused import RefusedImagesError

Image = str | os.PathLike | bytes
"""The path or the bytes of a JPEG, PNG or BMP file."""


class ImageList:
    """Paths and bytes of image files.

    Args:
      images: at least one.

    Raises:
      UsageError: if there is none, or something else among them.
    """

    def __init__(self, images: Iterable[Image]):
        if isinstance(images, Image):
            raise UsageError("images must be a list of paths or bytes: found a single image")
        self._images = list(images)
        if not self._images:
            raise UsageError("there are no images to send: the list is empty")
        for place, image in enumerate(self._images):
            if not isinstance(image, Image):
                kind = type(image).__name__
                raise UsageError(
                    f"image {place} of the list is of type {kind}: expected a path or bytes"
                )

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self._images)

    def name(self, place: int) -> str:
        """Returns what errors call the image at a place."""
        image = self._images[place]
        return f"image {place} of the list" if isinstance(image, bytes) else os.fspath(image)

    def size_bytes(self, place: int) -> int:
        """Returns the size of a file.

        Raises:
          MissingPathError: if there is none.
        """
        image = self._images[place]
        if isinstance(image, bytes):
            return len(image)
        try:
            if Path(image).is_file():
                return Path(image).stat().st_size
        except OSError as error:  # a name that is too long, a folder that is locked
            raise MissingPathError(f"there is no image {image} ({error.strerror})") from None
        raise MissingPathError(f"there is no image {image}")

    def read(self, place: int) -> bytes:
        """Returns the bytes of a file.

        Raises:
          RefusedImagesError: if it cannot be read.
        """
        image = self._images[place]
        if isinstance(image, bytes):
            return image
        try:
            return Path(image).read_bytes()
        except OSError as error:
            reason = f"{self.name(place)}: cannot be read ({error.strerror})"
            raise RefusedImagesError({place: reason}) from None
