"""Opening image and mask files to see whether they are what their rows say."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfreid.datasets.copies import fingerprint_of
from tfreid.datasets.exif import exif_of, orientation
from tfreid.datasets.parts import Part
from tfreid.datasets.row import ParsingRow, Row

IMAGE_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
"""Formats that can be converted, as Pillow names them."""

DECODED_FORMATS = "JPEG, PNG or BMP"
"""Formats that exported models, servers and galleries take as files, for messages."""

JPEG_FORMATS = ("JPEG", "MPO")
"""What Pillow may call a JPEG file; MPO is one with further pictures."""

MAX_IMAGE_MPX = 50.0
"""Megapixels of the largest image: a file of 30 KB can hold a picture of gigabytes."""

LARGEST_LIMIT_MPX = Image.MAX_IMAGE_PIXELS / 1e6
"""What `MAX_IMAGE_MPX` may be raised to: above, Pillow has doubts of its own."""

GIANT = f"it has more than {2 * LARGEST_LIMIT_MPX:.0f} million pixels: make it smaller"
"""Why an image is refused that Pillow itself does not open."""

SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's modes of one channel of 16 bits."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns of large images when it opens them; here they are refused by name.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Damaged EXIF says nothing about the picture.
warnings.filterwarnings("ignore", "Corrupt EXIF data", UserWarning)


class UnusableImageError(ValueError):
    """An image is whole but cannot be kept as it is; the text says why and what to do."""


@dataclass(frozen=True)
class Facts:
    """What opening a row's files shows.

    Attributes:
        damage: `<path>: <what is wrong>`, or None when nothing is.
        notes: What the user should know of the image, each a key of `NOTES`.
        fingerprint: As of `fingerprint_of`; None of an image that cannot be read.
    """

    damage: str | None
    notes: tuple[str, ...] = ()
    fingerprint: tuple[bytes, int] | None = None


NOTES = {
    "turned": "images that are turned upright, as their EXIF orientation says",
    "16 bits": "images of 16 bits a channel, of which the upper 8 are kept",
    "1 bit": "images of 1 bit, black or white",
    "1 pixel": "images that are 1 pixel wide or high",
}
"""Titles for what an image may be; it is kept all the same."""


def facts_of(
    row: Row | ParsingRow, num_classes: int | None, max_mpx: float = MAX_IMAGE_MPX
) -> Facts:
    """Opens a row's files and says what is in them.

    Args:
        row: The row; its mask is opened when it has one.
        num_classes: Classes of the mask's vocabulary, or None to accept all.
        max_mpx: Megapixels of the largest image.
    """
    path = row.image_path
    try:
        opened = open_image(path, row.image_part, max_mpx=max_mpx)
        image = as_rgb(upright(opened))
        if row.mask_path is not None:
            path = row.mask_path
            mask = open_image(path, row.mask_part, ("PNG",), max_mpx)
            _check_mask(mask, image.size, num_classes)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return Facts(f"{path}: {_reason(path, error)}")
    found = {
        "turned": orientation_of(opened) != 1,
        "16 bits": opened.mode in SIXTEEN_BITS,
        "1 bit": opened.mode == "1",
        "1 pixel": min(image.size) == 1,
    }
    return Facts(None, tuple(note for note, holds in found.items() if holds), fingerprint_of(image))


def open_image(
    path: str,
    part: Part | None,
    formats: tuple[str, ...] = IMAGE_FORMATS,
    max_mpx: float = MAX_IMAGE_MPX,
) -> Image.Image:
    """Opens an image or a mask and decodes it to the end.

    Args:
        path: Its file.
        part: Where in the file it lies; None for the whole file.
        formats: Pillow's names of the formats that a whole file may have.
        max_mpx: Megapixels of the largest image, looked up before it is decoded.

    Raises:
        OSError: The file cannot be read, or is damaged.
        ValueError: It is of another format, the part is not in it, or `UnusableImageError`.
    """
    if part is not None:
        return Image.fromarray(part.pixels(path))
    if not os.path.isfile(path):  # opening a pipe waits for whoever writes into it
        raise FileNotFoundError(f"no such file: {path}")
    with Image.open(path) as image:
        found = "JPEG" if image.format in JPEG_FORMATS else image.format
        if found not in formats:
            raise ValueError(f"expected {' or '.join(formats)}, found {image.format}")
        check_header(image, max_mpx)
        image.load()
        keep_exif(image, Path(path).read_bytes())
        return image


def check_header(image: Image.Image, max_mpx: float) -> None:
    """Refuses, before it is decoded, an image that is too large or not the only one of its file.

    Raises:
        UnusableImageError: The text says which.
    """
    if image.width * image.height > max_mpx * 1e6:
        raise UnusableImageError(
            f"it has {image.width}x{image.height} pixels, more than the {max_mpx:g} million of "
            "max_image_mpx: make it smaller, or allow more"
        )
    pictures = getattr(image, "n_frames", 1) if image.format in ("TIFF", "WEBP") else 1
    if pictures > 1:
        raise UnusableImageError(f"it holds {pictures} pictures: one a file was expected")


def orientation_of(image: Image.Image) -> int:
    """Returns the EXIF orientation, 1 to 8; 1, upright, where a file does not say.

    Of an image that `keep_exif` has seen. Other notes on the orientation, as in XMP, do not count.
    """
    return orientation(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))


def keep_exif(image: Image.Image, data: bytes) -> None:
    """Makes an image's EXIF that which exported models find in its file.

    Pillow also joins what stands in several places of a file, or behind its picture.
    """
    if image.format in (*JPEG_FORMATS, "PNG"):
        image.info["exif"] = exif_of(data)


def upright(image: Image.Image) -> Image.Image:
    """Turns and mirrors an image as its EXIF orientation says, so that people stand in it."""
    turn = _TURNS.get(orientation_of(image))
    return image if turn is None else image.transpose(turn)


def as_rgb(image: Image.Image) -> Image.Image:
    """Returns an image in RGB with 8 bits a channel; of 16 bits the upper 8 are kept.

    Raises:
        UnusableImageError: Its values have no stated range: integers of 32 bits, or floats.
    """
    if image.mode in SIXTEEN_BITS:
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode[0] in "IF":
        kind = "floating-point" if image.mode[0] == "F" else "32-bit integer"
        raise UnusableImageError(
            f"it has {kind} values, of unknown range: scale it to 8 or 16 bits and save it again"
        )
    return image.convert("RGB")


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
        return "no regular file" if os.path.exists(path) else "no such file"
    if Path(path).stat().st_size == 0:
        return "an empty file (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return GIANT if isinstance(error, Image.DecompressionBombError) else str(error)
