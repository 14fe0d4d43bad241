"""Pictures for a page: enlarged, embedded, overlaid with a map."""

import base64
import io

import matplotlib
import numpy as np
from PIL import Image

_HEAT = matplotlib.colormaps["inferno"]


def embedded(image: np.ndarray, size_px: tuple[int, int]) -> str:
    """Encodes an image as a `data:` address that a page can hold.

    Args:
      image: `[height, width, 3]` uint8.
      size_px: height, width of the encoded picture.

    Returns:
      The address of a JPEG.
    """
    height, width = size_px
    buffer = io.BytesIO()
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
    resized.save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lays a map over a picture, so that the picture glows where the map is strong.

    Args:
      image: `[height, width, 3]` uint8.
      heat: `[h, w]` floats in [0, 1]; enlarged smoothly to the image's size.

    Returns:
      `[height, width, 3]` uint8.
    """
    height, width = image.shape[:2]
    enlarged = Image.fromarray(np.asarray(heat, np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    strength = np.clip(np.asarray(enlarged), 0, 1)[..., None]
    grey = image.mean(axis=-1, keepdims=True) * 0.75
    colour = 255 * _HEAT(strength[..., 0])[..., :3]
    opacity = 0.25 + 0.45 * strength
    return np.rint((1 - opacity) * grey + opacity * colour).astype(np.uint8)
