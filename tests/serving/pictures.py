"""Images, and what the scripted server answers to them."""

import io

import numpy as np
import PIL.Image

from tests.serving.scripted_server import descriptor


def picture(seed: int, size=(6, 4)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


IMAGES = [picture(seed) for seed in range(7)]


def expected(images=IMAGES) -> np.ndarray:
    return np.stack([descriptor(image) for image in images])
