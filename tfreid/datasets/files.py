"""Opening image and mask files to see whether they are what their rows say."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfreid.datasets.parts import Part
from tfreid.datasets.row import ParsingRow, Row

IMAGE_FORMATS = ("JPEG", "PNG", "BMP", "TIFF")
"""Formats that can be converted, as Pillow names them."""

JPEG_FORMATS = ("JPEG", "MPO")
"""What Pillow may call a JPEG file; MPO is one with further pictures."""


def damage_of(row: Row | ParsingRow, num_classes: int | None) -> str | None:
    """Opens a row's files and says what is wrong with them.

    Args:
        row: The row; its mask is opened when it has one.
        num_classes: Classes of the mask's vocabulary, or None to accept all.

    Returns:
        `<path>: <what is wrong>`, or None when nothing is.
    """
    path = row.image_path
    try:
        size = open_image(path, row.image_part).size
        if row.mask_path is not None:
            path = row.mask_path
            _check_mask(open_image(path, row.mask_part, ("PNG",)), size, num_classes)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"{path}: {_reason(path, error)}"
    return None


def open_image(
    path: str, part: Part | None, formats: tuple[str, ...] = IMAGE_FORMATS
) -> Image.Image:
    """Opens an image or a mask and decodes it to the end.

    Args:
        path: Its file.
        part: Where in the file it lies; None for the whole file.
        formats: Pillow's names of the formats that a whole file may have.

    Raises:
        OSError: The file cannot be read, or is damaged.
        ValueError: It is of another format, or the part is not in it.
    """
    if part is not None:
        return Image.fromarray(part.pixels(path))
    with Image.open(path) as image:
        image.load()
        found = "JPEG" if image.format in JPEG_FORMATS else image.format
        if found not in formats:
            raise ValueError(f"expected {' or '.join(formats)}, found {image.format}")
        return image


def _check_mask(mask: Image.Image, size: tuple[int, int], num_classes: int | None) -> None:
    if mask.mode not in ("L", "P", "1"):
        raise ValueError(f"expected one channel of class indices, found the mode {mask.mode}")
    if mask.size != size:
        raise ValueError(
            f"expected the image's width and height {size[0]}x{size[1]}, "
            f"found {mask.size[0]}x{mask.size[1]}"
        )
    highest = int(np.asarray(mask).max())
    if num_classes is not None and highest >= num_classes:
        raise ValueError(f"expected classes 0 to {num_classes - 1}, found {highest}")


def _reason(path: str, error: Exception) -> str:
    if not Path(path).is_file():
        return "no such file"
    if Path(path).stat().st_size == 0:
        return "an empty file (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return str(error)
