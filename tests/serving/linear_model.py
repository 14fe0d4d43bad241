"""A network small enough to be exported in a moment."""

import io

import keras
import numpy as np
import tensorflow as tf
from PIL import Image


class LinearModel(keras.Model):
    """Its descriptor is a linear map of the pixels, its maps are colours."""

    def __init__(self, size_px=(8, 4)):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(0))
        self(np.zeros((1, *size_px, 3), "float32"))

    def call(self, images):
        return {"descriptor": self.embed(images)}

    def embed(self, images):
        return self.dense(self.flatten(images))

    def explain(self, images):
        return {"activation": tf.reduce_mean(images, axis=-1) / 255, "red": images[..., 0] / 255}


class PositionModel(LinearModel):
    """Is matched by reconstruction: its position features are the rows of the image."""

    beta = 0.02

    def embed(self, images):
        rows = tf.reshape(images, (-1, images.shape[1], images.shape[2] * 3)) + 1.0
        weights = tf.reduce_sum(rows, axis=-1)
        return {
            "embedding": super().embed(images),
            "positions": tf.math.l2_normalize(rows, axis=-1),
            "foreground": weights / tf.reduce_sum(weights, axis=-1, keepdims=True),
        }

    def explain(self, images):
        return {"activation": images[..., 0] / 255, "foreground": images[..., 1] / 255}

    def patches(self, image_size_px):
        height, width = image_size_px
        return np.array([(row, 0, row + 1, width) for row in range(height)])


def encoded(size_px, kind, seed=0):
    """A file of noise of the given height and width."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size_px, 3), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def files():
    """A JPEG, a PNG and a BMP file; the last has the size of the model's input."""
    return [encoded((16, 8), "JPEG"), encoded((9, 7), "PNG", 1), encoded((8, 4), "BMP", 2)]
