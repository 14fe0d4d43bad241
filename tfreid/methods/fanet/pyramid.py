"""Horizontal pyramid pooling (HPP) and one classifier for each stripe (FA-Net, section III-A)."""

from collections.abc import Sequence

import keras

from tfreid.nn import batch_normalisation

POOLINGS = ("average_and_max", "average", "max")


def pool_stripes(features, stripes: int, pooling: str = "average_and_max"):
    """Pools horizontal stripes of equal height.

    Args:
      features: float `[batch, h, w, channels]`; `h` is a multiple of `stripes`.
      stripes: number of stripes.
      pooling: `"average"`, `"max"`, or `"average_and_max"` for their sum, as the paper cited for
        HPP has it (Fu et al., "Horizontal Pyramid Matching for Person Re-Identification", 2019).

    Returns:
      float `[batch, stripes, channels]`, from top to bottom.
    """
    _, height, width, channels = features.shape
    cells = keras.ops.reshape(features, (-1, stripes, height // stripes, width, channels))
    average = keras.ops.mean(cells, axis=(2, 3)) if pooling != "max" else 0.0
    strongest = keras.ops.max(cells, axis=(2, 3)) if pooling != "average" else 0.0
    return average + strongest


class HorizontalPyramid(keras.layers.Layer):
    """HPP: pools the stripes of each scale and embeds each by weights of its own.

    Embedding is a linear map with batch normalisation. Without scales, the whole map is averaged
    and not embedded: the baseline of the paper's Table I. Nothing then follows the gate that would
    take the level of its mask out of the descriptor, unless `normalise` says so.

    Args:
      scales: numbers of stripes, `(1, 2, 4, 8)` in the paper: 15 stripes.
      embedding_size: values of each stripe's feature vector.
      pooling: as of `pool_stripes`.
      normalise: whether batch normalisation follows the averaged map, too; not in the paper.
    """

    def __init__(
        self,
        scales: Sequence[int] = (1, 2, 4, 8),
        embedding_size: int = 256,
        pooling: str = "average_and_max",
        normalise: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.scales, self.embedding_size, self.pooling = tuple(scales), embedding_size, pooling
        self.normalise = normalise
        self.stripes = sum(self.scales) or 1
        self.normalisation = batch_normalisation() if self.scales or normalise else None

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, h, w, channels]`."""
        channels = input_shape[-1]
        self.units = self.embedding_size if self.scales else channels
        if self.scales:
            self.kernel = self.add_weight(
                name="kernel",
                shape=(self.stripes, channels, self.embedding_size),
                initializer=keras.initializers.RandomNormal(stddev=(2 / channels) ** 0.5),
            )
        if self.normalisation:
            self.normalisation.build((None, self.stripes * self.units))

    def call(self, features, training=None):
        """Maps `[batch, h, w, channels]` to `[batch, stripes, units]`."""
        if not self.scales:
            pooled = pool_stripes(features, 1, "average")
            if not self.normalise:
                return pooled
            return self.normalisation(pooled[:, 0], training=training)[:, None]
        pooled = [pool_stripes(features, scale, self.pooling) for scale in self.scales]
        pooled = keras.ops.concatenate(pooled, axis=1)
        embedded = keras.ops.einsum("bsc,sce->bse", pooled, self.kernel)
        flat = keras.ops.reshape(embedded, (-1, self.stripes * self.embedding_size))
        flat = self.normalisation(flat, training=training)
        return keras.ops.reshape(flat, (-1, self.stripes, self.embedding_size))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "scales": self.scales,
            "embedding_size": self.embedding_size,
            "pooling": self.pooling,
            "normalise": self.normalise,
        }


class StripeClassifiers(keras.layers.Layer):
    """One linear classifier for each stripe, all over the same classes.

    Args:
      classes: number of persons or of cameras.
    """

    def __init__(self, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, stripes, units]`."""
        _, stripes, units = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(stripes, units, self.classes),
            initializer=keras.initializers.RandomNormal(stddev=0.001),
        )
        self.bias = self.add_weight(name="bias", shape=(stripes, self.classes), initializer="zeros")

    def call(self, features):
        """Maps `[batch, stripes, units]` to logits `[batch, stripes, classes]`."""
        return keras.ops.einsum("bsu,suc->bsc", features, self.kernel) + self.bias

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}
