"""Reading and checking the files of one record, in Beam workers."""

import functools
import io
import os
import struct
from pathlib import Path

import numpy as np
import PIL.Image

from tfreid.datasets import VOCABULARIES, lookup
from tfreid.datasets.exif import exif_of
from tfreid.datasets.files import (
    GIANT,
    IMAGE_FORMATS,
    JPEG_FORMATS,
    MAX_IMAGE_MPX,
    UnusableImageError,
    as_rgb,
    check_header,
    keep_exif,
    orientation_of,
    upright,
)
from tfreid.datasets.parts import Part

_KEPT_FORMATS = (*JPEG_FORMATS, "PNG")
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


class RejectedError(ValueError):
    """A record cannot be written; the text is the reason in `rejects.jsonl`."""


class UnsureError(ValueError):
    """A maker of masks is not confident of an image; the text is why, in `unmasked.jsonl`."""


class DamagedError(RejectedError):
    """Pillow cannot decode a file."""


def read_image(
    path: str, part: Part | None = None, max_mpx: float = MAX_IMAGE_MPX
) -> tuple[bytes, PIL.Image.Image]:
    """Reads an image and decodes it to the end.

    Args:
        path: its file.
        part: where in the file it lies; None for the whole file.
        max_mpx: megapixels of the largest image.

    Returns:
        The bytes of a JPEG or PNG file that TensorFlow decodes: the file's own where it is one
        and lies upright, else a PNG's without loss; and the image, upright and in RGB.

    Raises:
        RejectedError: if the file cannot be read, is damaged, too large, or of values that do not
            fit 8 bits.
    """
    if part is not None:
        image = PIL.Image.fromarray(_pixels(path, part, "image")).convert("RGB")
        return encode_png(np.asarray(image)), image
    data = _contents(path, "image")
    image, error = None, None
    try:
        image = decode_file(data, path, max_mpx=max_mpx)
        plain = as_rgb(upright(image))
    except UnusableImageError as fault:
        raise RejectedError(f"the image cannot be kept: {fault}: {path}") from fault
    except DamagedError as damage:
        error = damage
    if image is not None and image.format not in _KEPT_FORMATS:
        return encode_png(np.asarray(plain)), plain
    seen = by_tensorflow(data, max_mpx)
    if seen is None and error is not None:
        raise error
    if seen is None:
        return encode_png(np.asarray(plain)), plain
    if image is not None and seen.size == image.size and orientation_of(seen) == 1:
        return data, plain
    turned = upright(seen)
    return encode_png(np.asarray(turned)), turned


def by_tensorflow(data: bytes, max_mpx: float) -> PIL.Image.Image | None:
    """Decodes a JPEG or PNG file as exported models do, which is not always as Pillow does.

    TensorFlow refuses some files that lack their end, and takes some with damaged notes beside the
    picture.

    Args:
        data: the file's bytes.
        max_mpx: megapixels of the largest image.

    Returns:
        The image in RGB, not yet upright; None where TensorFlow refuses it.
    """
    import tensorflow as tf  # Only here: whoever reads masks alone does without.

    try:
        if data.startswith(_JPEG):
            height, width = tf.image.extract_jpeg_shape(data)[:2].numpy().tolist()
        elif data.startswith(_PNG):
            width, height = struct.unpack_from(">II", data, 16)
        else:
            return None
        if height * width > max_mpx * 1e6:
            return None
        image = PIL.Image.fromarray(tf.io.decode_image(data, channels=3).numpy())
    except (tf.errors.OpError, struct.error):
        return None
    image.info["exif"] = exif_of(data)
    return image


def read_mask(
    path: str,
    vocabulary: str,
    size: tuple[int, int],
    part: Part | None = None,
    max_mpx: float = MAX_IMAGE_MPX,
) -> tuple[bytes, np.ndarray]:
    """Reads and validates a mask.

    Args:
        path: a one-channel PNG of class indices, or the file of `part`. Palette and 1-bit PNGs
            count as such: they are written anew with 8 bits, because TensorFlow would decode
            their colours.
        vocabulary: key of `VOCABULARIES`.
        size: width and height of the image in pixels.
        part: where in the file the mask lies; None for the whole file.
        max_mpx: megapixels of the largest mask.

    Returns:
        The PNG's bytes and its uint8 class indices `[height, width]`.

    Raises:
        RejectedError: if the file cannot be read, is damaged, too large, has several channels,
            another size than the image, or classes outside the vocabulary.
    """
    if part is not None:
        mask = PIL.Image.fromarray(_pixels(path, part, "mask"))
        data = encode_png(np.asarray(mask))
    else:
        data = _contents(path, "mask")
        mask = decode_file(data, path, "mask", ("PNG",), max_mpx)
    if mask.size != size:
        raise RejectedError(
            f"the mask is {mask.width}x{mask.height} pixels (width x height), "
            f"the image {size[0]}x{size[1]}: {path}"
        )
    bits = data[24]  # bit depth, in the PNG's header
    if mask.mode not in ("L", "P", "1") or (mask.mode == "L" and bits != 8):
        raise RejectedError(
            f"the mask has mode {mask.mode} with {bits} bits: expected one channel of 8: {path}"
        )
    indices = np.asarray(mask, dtype=np.uint8)
    if mask.mode != "L":
        data = encode_png(indices)
    classes = VOCABULARIES[vocabulary]
    highest = int(indices.max())
    if highest >= len(classes):
        raise RejectedError(
            f"unknown class {highest} in the mask: {vocabulary} has classes 0 to "
            f"{len(classes) - 1}: {path}"
        )
    return data, indices


def converted(mask: np.ndarray, source: str, target: str) -> np.ndarray:
    """Returns a mask, uint8 `[height, width]`, of one vocabulary in the classes of another."""
    return np.asarray(lookup(source, target), np.uint8)[mask]


def _pixels(path: str, part: Part, what: str) -> np.ndarray:
    try:
        return part.pixels(path)
    except Exception as error:  # whatever the libraries of the file's format raise
        raise RejectedError(f"cannot read the {what} {part} ({error}): {path}") from error


def _contents(path: str, what: str) -> bytes:
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe would keep us waiting
            raise RejectedError(f"the {what} is no regular file: {path}")
        return Path(path).read_bytes()
    except OSError as error:
        raise RejectedError(f"cannot read the {what} ({error.strerror}): {path}") from error


def decode_file(
    data: bytes,
    name: str,
    what: str = "image",
    formats: tuple[str, ...] = IMAGE_FORMATS,
    max_mpx: float = MAX_IMAGE_MPX,
) -> PIL.Image.Image:
    """Decodes the bytes of an image file to the end.

    Args:
        data: the file's bytes.
        name: what the errors call it.
        what: kind of file, for the errors.
        formats: Pillow's names of the formats that are allowed.
        max_mpx: megapixels of the largest image, looked up before it is decoded.

    Raises:
        RejectedError: if there are none, or of too large an image.
        DamagedError: if they are damaged or of another format.
    """
    if not data:
        raise RejectedError(f"the {what} file is empty: {name}")
    try:
        image = PIL.Image.open(io.BytesIO(data), formats=formats)
        check_header(image, max_mpx)
        if image.format == "PNG":  # loading it checks less than TensorFlow will
            image.verify()
            if _PNG_END not in data:
                raise ValueError("its end is missing")
            image = PIL.Image.open(io.BytesIO(data), formats=formats)
        image.load()
        keep_exif(image, data)
    except (UnusableImageError, PIL.Image.DecompressionBombError) as error:
        reason = error if isinstance(error, UnusableImageError) else GIANT
        raise RejectedError(f"the {what} cannot be kept: {reason}: {name}") from error
    except PIL.UnidentifiedImageError as error:
        raise DamagedError(f"the {what} is no {' or '.join(formats)} file: {name}") from error
    except Exception as error:  # Pillow's decoders raise many types on damaged data
        raise DamagedError(f"the {what} is damaged ({error}): {name}") from error
    return image


def pixel_sums(image: PIL.Image.Image) -> np.ndarray:
    """Returns the sums over all pixels of red, green and blue in [0, 255]: int64 `[3]`."""
    counts = np.reshape(image.convert("RGB").histogram(), (3, 256))
    return counts @ np.arange(256)


def on_random_background(
    image: PIL.Image.Image,
    mask: np.ndarray,
    backgrounds: tuple[str, ...],
    seed: int,
    max_mpx: float = MAX_IMAGE_MPX,
) -> bytes:
    """Puts the person before another scene: `I_in * M + R * (1 - M)` (PGP, sec. 3.3).

    Args:
        image: the image, I_in.
        mask: `binary` classes `[height, width]`; 1 is the person, M.
        backgrounds: paths of the scenes that R is a random crop of, not scaled.
        seed: chooses the scene and the crop.
        max_mpx: megapixels of the largest scene.

    Returns:
        The result as PNG, so that the person's pixels stay exactly what they were.

    Raises:
        RejectedError: if the chosen scene is smaller than the image.
    """
    rng = np.random.default_rng(seed)
    path = backgrounds[rng.integers(len(backgrounds))]
    scene = _scene(path, max_mpx)
    height, width = mask.shape
    free_rows, free_columns = scene.shape[0] - height, scene.shape[1] - width
    if min(free_rows, free_columns) < 0:
        raise RejectedError(
            f"the background is {scene.shape[1]}x{scene.shape[0]} pixels, smaller than the image, "
            f"{width}x{height}: {path}"
        )
    top, left = rng.integers(free_rows + 1), rng.integers(free_columns + 1)
    crop = scene[top : top + height, left : left + width]
    return encode_png(np.where(mask[..., None] > 0, np.asarray(image.convert("RGB")), crop))


@functools.lru_cache(maxsize=128)
def _scene(path: str, max_mpx: float) -> np.ndarray:
    return np.asarray(read_image(path, max_mpx=max_mpx)[1].convert("RGB"))


def encode_png(pixels: np.ndarray) -> bytes:
    """Returns uint8 pixels `[height, width]` or `[height, width, 3]` as a PNG file's bytes."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
