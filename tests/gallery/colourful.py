"""Drawn persons of a few colours, and a network that tells them apart, for galleries."""

import io

import numpy as np
from PIL import Image

from tfreid.gallery import NewImage

SIZE_PX = (16, 8)


class MeanColours:
    """Describes an image by the mean colours of its parts: cheap, and people differ in it."""

    def __init__(self, turned: bool = False):
        self._turned = turned

    def embed(self, images):
        import tensorflow as tf

        parts = tf.nn.avg_pool2d(images, 4, 4, "VALID") / 255 - 0.5
        flat = tf.reshape(parts, (-1, 4 * 2 * 3))
        return tf.reverse(flat, [1]) if self._turned else flat


class StripColours:
    """As FPR's: positions, which tell people apart, and a descriptor that hardly does."""

    beta = 0.01

    def embed(self, images):
        import tensorflow as tf

        parts = tf.reshape(
            tf.nn.avg_pool2d(images, (2, 4), (2, 4), "VALID") / 255 - 0.5, (-1, 16, 3)
        )
        strips = tf.reshape(parts, (-1, 4, 12))
        return {
            "embedding": tf.reduce_mean(parts, axis=1) * (1, 0, 0) + (0, 0, 0.3),
            "positions": tf.math.l2_normalize(strips, axis=-1),
            "foreground": tf.nn.softmax(tf.reduce_mean(strips, axis=-1) * 4, axis=-1),
        }


def png(person: int, seed: int = 0) -> bytes:
    """A picture of a person: colours that are hers, and some noise."""
    colours = np.random.default_rng(person).integers(0, 256, (4, 2, 3))
    noise = np.random.default_rng((person, seed)).integers(-20, 21, (32, 16, 3))
    pixels = np.repeat(np.repeat(colours, 8, axis=0), 8, axis=1) + noise
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def people(persons: int, images: int = 3) -> list[NewImage]:
    return [
        NewImage(f"p{person}/{n}.png", f"p{person}", png(person, n), camera=f"cam{n}")
        for person in range(persons)
        for n in range(images)
    ]
