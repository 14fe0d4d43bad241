"""Pictures as networks take them, and what they give back at the pictures' own size."""

import numpy as np
from PIL import Image

from tfreid.datasets.files import UnusableImageError, as_rgb, upright
from tfreid.records.images import RejectedError, decode_file

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

LEAST_PERSON = 0.01
"""Share of an image below which a mask is called empty."""


def rgb(image: bytes) -> Image.Image:
    """Decodes an image file, as conversion does.

    Raises:
      RejectedError: if it cannot be decoded.
    """
    try:
        return as_rgb(upright(decode_file(image, "the image")))
    except UnusableImageError as error:
        raise RejectedError(f"the image cannot be kept: {error}") from error


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
