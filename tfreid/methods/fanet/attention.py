"""The target enhancement module (TEM) and the gating by its soft mask (FA-Net, section III-B)."""

import keras

from tfreid.nn import ConvUnit, scaled

INITIAL_MAPS = ("glorot_uniform", "he_normal", "zeros")
"""How the weights of the convolution to the k maps start, as Keras names it."""


def soft_mask(raw_maps):
    """Averages attention maps into the soft foreground mask Z^f (FA-Net, eq. 1).

    Args:
      raw_maps: Z^raw, float `[batch, h, w, k]`.

    Returns:
      Z^f, float `[batch, h, w, 1]` in (0, 1).
    """
    return keras.ops.sigmoid(keras.ops.mean(raw_maps, axis=-1, keepdims=True))


def gate(features, mask):
    """Weighs every channel of a feature map with a mask (FA-Net, eq. 2 and eq. 3).

    F^g is `gate(F, Z)` and B^g is `gate(B, 1 - Z)`.

    Args:
      features: float `[batch, h, w, channels]`.
      mask: float `[batch, h, w, 1]`.
    """
    return features * mask


class TargetEnhancement(keras.layers.Layer):
    """TEM: from the foreground branch's raw feature map F to the soft foreground mask Z^f.

    1x1 convolution to 256 channels, 3x3 to 128, both with batch normalisation and ReLU, then 1x1
    to k maps, whose mean passes a sigmoid (FA-Net, section III-B, Figure 4).

    The mean of k 1x1 convolutions is one 1x1 convolution, with the mean of their weights. A step of
    gradient descent moves that mean by 1 / k of what it would move a single convolution, so that k
    sets the pace of the mask and, with random starts, how large its weights are at first.

    Args:
      maps: k, the number of maps that are averaged.
      width: multiplies the 256 and the 128 channels.
      initial: one of `INITIAL_MAPS`.
    """

    def __init__(
        self, maps: int = 256, width: float = 1.0, initial: str = "glorot_uniform", **kwargs
    ):
        super().__init__(**kwargs)
        self.maps, self.width, self.initial = maps, width, initial
        self.units = [
            ConvUnit(scaled(filters, width), kernel, normalise_last=False)
            for filters, kernel in ((256, 1), (128, 3))
        ]
        self.raw_maps = keras.layers.Conv2D(maps, 1, kernel_initializer=initial)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, h, w, channels]`."""
        for unit in self.units:
            unit.build(input_shape)
            input_shape = (*input_shape[:-1], unit.filters)
        self.raw_maps.build(input_shape)

    def call(self, features, training=None):
        """Maps F `[batch, h, w, channels]` to Z^f `[batch, h, w, 1]`."""
        for unit in self.units:
            features = unit(features, training=training)
        return soft_mask(self.raw_maps(features))

    def get_config(self):
        """Returns the constructor's arguments."""
        own = {"maps": self.maps, "width": self.width, "initial": self.initial}
        return {**super().get_config(), **own}
