"""Tiny networks in files, made in the test."""

import io
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

STANDING = {  # Landmark of the pose network: x, y in pixels of its square.
    **dict.fromkeys((0, 7, 8), (128, 50)),
    **dict.fromkeys((9, 10), (128, 58)),
    **{11: (146, 80), 12: (110, 80), 13: (150, 105), 14: (106, 105), 15: (152, 130)},
    **{16: (104, 130), 19: (152, 138), 20: (104, 138), 23: (138, 130), 24: (118, 130)},
    **{25: (138, 170), 26: (118, 170), 27: (138, 215), 28: (118, 215)},
    **{29: (138, 220), 30: (118, 220), 31: (138, 222), 32: (118, 222)},
}


def write_lite(path: Path, function, shape: tuple[int, ...]) -> Path:
    """Writes a function of one float32 image as TensorFlow Lite network."""
    traced = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)])
    module = tf.Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [traced.get_concrete_function()], module
    )
    path.write_bytes(converter.convert())
    return path


def write_pose(path: Path) -> Path:
    """A pose network that sees a standing person where it is bright; presence is the largest blue.

    Its outputs are those of MediaPipe's, in an order of its own.
    """
    landmarks = np.zeros((39, 5), np.float32)
    for index, place in STANDING.items():
        landmarks[index, :2] = place

    def pose(image):
        blue = tf.reduce_max(image[..., 2], axis=(1, 2))[:, None]
        person = (tf.reduce_max(image, axis=-1, keepdims=True) - 0.5) * 10
        return person, blue, tf.reshape(landmarks, (1, 195)) + 0.0 * blue

    return write_lite(path, pose, (1, 256, 256, 3))


def png(pixels: np.ndarray) -> bytes:
    """An image file of uint8 pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
