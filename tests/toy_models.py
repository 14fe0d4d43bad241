"""Models without training whose behaviour on backgrounds is known."""

import keras
import numpy as np
import tensorflow as tf

SIZE_PX = (32, 16)


class PersonModel(keras.Model):
    """Sees the middle of the picture, where the person is, through a batch normalisation."""

    rows, columns = slice(8, 28), slice(6, 10)

    def __init__(self):
        super().__init__()
        self.norm = keras.layers.BatchNormalization()
        self.norm.build((None, None, None, 3))

    def embed(self, images):
        seen = self.norm(images - 128.0, training=False)[:, self.rows, self.columns]
        cells = tf.image.resize(seen, (5, 1), method="area")
        return tf.reshape(cells, (tf.shape(images)[0], -1))

    def explain(self, images):
        seen = tf.reduce_mean(tf.ones_like(images[:, self.rows, self.columns]), axis=-1)
        top, left = self.rows.start, self.columns.start
        rest = [[0, 0], [top, 32 - self.rows.stop], [left, 16 - self.columns.stop]]
        return {"activation": tf.pad(seen, rest), "half": tf.zeros((len(images), 4, 2)) + 0.5}


class SceneryModel(PersonModel):
    """Sees the left edge, where no person is."""

    rows, columns = slice(0, 32), slice(0, 2)


class LeftModel(PersonModel):
    """Sees the left half of the person, so that a mirror image looks different."""

    columns = slice(4, 8)


class BrokenModel(PersonModel):
    """Its descriptors are not numbers."""

    def embed(self, images):
        return super().embed(images) * float("nan")


class BlindModel(PersonModel):
    """Sees nothing on every third picture of a batch, or nothing at all but the same."""

    def __init__(self, zeros: bool, every: int = 3):
        super().__init__()
        self.zeros, self.every = zeros, every

    def embed(self, images):
        if not self.zeros:
            return tf.ones((tf.shape(images)[0], 4))
        seen = tf.range(tf.shape(images)[0]) % self.every < self.every - 1
        return tf.where(seen[:, None], super().embed(images), 0.0)


class PositionModel(PersonModel):
    """Is matched by reconstruction: its position features are patches of 4x4 pixels."""

    beta = 0.01

    def embed(self, images):
        patches = tf.nn.space_to_depth(self.norm(images - 128.0, training=False), 4)
        person = np.pad(np.full((5, 2), 0.1, "float32"), [[2, 1], [1, 1]])
        return {
            "embedding": super().embed(images),
            "positions": tf.math.l2_normalize(tf.reshape(patches, (-1, 32, 48)), axis=-1),
            "foreground": tf.tile(person.reshape(1, 32), (len(images), 1)),
        }

    def patches(self, image_size_px):
        corners = np.array([(top, left) for top in range(0, 32, 4) for left in range(0, 16, 4)])
        return np.concatenate([corners, corners + 4], axis=1)
