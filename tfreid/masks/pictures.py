"""Pictures as networks take them, and what they give back at the pictures' own size."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from PIL import Image

from tfreid.inputs import decode_image
from tfreid.records.images import RejectedError, UnsureError

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

LEAST_PERSON = 0.01
"""Share of an image below which a mask is called empty."""


def require_person(mask: np.ndarray) -> np.ndarray:
    """Returns a mask, `[height, width]`, of which 0 is the background, unless it is empty.

    Raises:
      UnsureError: if it is.
    """
    share = (mask > 0).mean()
    if share < LEAST_PERSON:
        raise UnsureError(f"the person is {share:.1%} of the image")
    return mask


def rgb(image: bytes) -> Image.Image:
    """Decodes the bytes of a record, or of a JPEG, PNG or BMP file, as training does.

    Raises:
      RejectedError: if they cannot be decoded.
    """
    return Image.fromarray(decoded(image).numpy())


def decoded(image: bytes) -> tf.Tensor:
    """As `rgb`, uint8 `[height, width, 3]`."""
    try:
        return decode_image(image)
    except tf.errors.InvalidArgumentError as error:
        raise RejectedError(f"TensorFlow cannot decode the image: {error}") from error


def enlarged(values: np.ndarray, size: tuple[int, int], box: Box | None = None) -> np.ndarray:
    """Resizes what a network says of places bilinearly.

    Args:
      values: float `[rows, columns]`.
      size: width, height of the result.
      box: the part to take, in places of `values`; None for all.

    Returns:
      float32 `[height, width]`.
    """
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=box))


def largest(
    maps: Iterable[np.ndarray], size: tuple[int, int], box: Box | None = None
) -> np.ndarray:
    """Tells which of several maps is the largest at each pixel; of equal ones the first.

    Args:
      maps: at most 256, float `[rows, columns]` each; resized one after the other, as large images
        leave no room for all of them.
      size: as of `enlarged`.
      box: as of `enlarged`.

    Returns:
      uint8 `[height, width]`.
    """
    best = np.full(size[::-1], -np.inf, np.float32)
    index = np.zeros(size[::-1], np.uint8)
    for number, values in enumerate(maps):
        found = enlarged(values, size, box)
        index[found > best] = number
        np.maximum(best, found, out=best)
    return index
