"""Why an image file is refused, as server and client say it."""

import itertools
import re
import struct
from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfreid.datasets.files import DECODED_FORMATS
from tfreid.errors import DataError, UsageError
from tfreid.serving.decoding import (
    BMP,
    BMP_SIZE,
    JPEG,
    MAX_IMAGE_MPX,
    PNG,
    PNG_SIZE,
    decode_upright,
)

_OTHERS = {b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"RIFF": "WebP"}
_NAMED = 5


class RefusedImagesError(UsageError, DataError):
    """Images that were sent or named, and are not described (commands exit with 2).

    Attributes:
      reasons: what is wrong with each, by its place in the list.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        self.reasons = dict(sorted(reasons.items()))
        named = "; ".join(itertools.islice(self.reasons.values(), _NAMED))
        more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
        super().__init__(f"{len(reasons)} of the images cannot be described: {named}{more}")


def fault_of(file: bytes, max_image_mpx: float = MAX_IMAGE_MPX) -> str:
    """Says why an image file is not decoded, or nothing if it is."""
    if fault := header_fault(file, max_image_mpx):
        return fault
    try:
        decode_upright(tf.constant(file), tf.constant(1))
    except tf.errors.InvalidArgumentError:
        return f"damaged, or of a kind of {DECODED_FORMATS} that TensorFlow does not decode"
    return ""


def header_fault(file: bytes, max_image_mpx: float = MAX_IMAGE_MPX) -> str:
    """Says what an image file's header is refused for, or nothing; the picture is not decoded."""
    if not file.startswith((JPEG, PNG, BMP)):
        found = next((name for magic, name in _OTHERS.items() if file.startswith(magic)), "")
        what = f"a {found} file" if found else "no image file" if file else "an empty file"
        return f"{what}, expected {DECODED_FORMATS}"
    try:
        height, width = _size_px(file)
    except (struct.error, tf.errors.InvalidArgumentError):
        return "damaged in its header"
    if height * width > max_image_mpx * 1e6:
        return f"{width}x{height} pixels, expected at most {max_image_mpx:g} million"
    return ""


def faults_of(files: Sequence[bytes]) -> dict[int, str]:
    """Says why image files are not decoded, by their places; those that are do not appear."""
    faults = {place: fault_of(file) for place, file in enumerate(files)}
    return {place: fault for place, fault in faults.items() if fault}


def listed(name: str, faults: Mapping[int, str]) -> str:
    """Writes faults by place as `name[0, 3]: fault; name[1]: fault`, for `found` to read."""
    places: dict[str, list[int]] = {}
    for place, fault in faults.items():
        places.setdefault(fault, []).append(place)
    return "; ".join(f"{name}{of_one}: {fault}" for fault, of_one in places.items())


def found(name: str, text: str, images: int) -> dict[int, str]:
    """Reads faults by place, of so many images, out of a text that has what `listed` writes."""
    faults = {
        int(place): fault
        for places, fault in re.findall(rf"{name}\[(\d+(?:, \d+)*)\]: ([^;]+)", text)
        for place in places.split(", ")
    }
    return {place: fault for place, fault in faults.items() if place < images}


def _size_px(file: bytes) -> tuple[int, int]:
    """Returns height, width as the header has them."""
    if file.startswith(JPEG):
        height, width, _ = tf.image.extract_jpeg_shape(file).numpy().tolist()
        return height, width
    start, form = (PNG_SIZE, ">II") if file.startswith(PNG) else (BMP_SIZE, "<ii")
    width, height = struct.unpack_from(form, file, start)
    return abs(height), abs(width)
