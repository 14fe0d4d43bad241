"""The foreground probability generator and what it learns from (FPR, sections 3.1 and 3.3)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfreid.methods.fpr.pyramid import pool_pyramid

_ROUNDING = 1e-6
"""More than means of a mask are rounded by, and less than any pixel adds to one."""


class ForegroundGenerator(keras.layers.Layer):
    """A 1x1 convolution that tells for each position whether it shows the person.

    The paper's softmax over two classes is the sigmoid of the difference of their logits, which is
    the one logit here. The same weights serve the positions of all kernels.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv1D(1, 1)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, N, channels]`."""
        self.convolution.build((None, None, input_shape[-1]))

    def call(self, positions):
        """Maps positions `[batch, N, channels]` to logits `[batch, N]`."""
        return keras.ops.squeeze(self.convolution(positions), -1)


def foreground_weights(logits):
    """Divides the foreground probabilities of each image by their sum: H of FPR, eq. 5.

    Computed from the logarithms, so that it is defined however small the probabilities are, also
    of an image in which nothing looks like a person.

    Args:
      logits: float `[batch, N]`.

    Returns:
      float `[batch, N]`, each row's sum is 1.
    """
    return keras.ops.softmax(keras.ops.log_sigmoid(logits), axis=-1)


def patch_labels(
    mask: tf.Tensor,
    size: tuple[int, int],
    kernels: Sequence[int],
    stride: int,
    threshold: float,
) -> tf.Tensor:
    """Labels the positions by the share of the person in their patch (FPR, eq. 7 and 8).

    Args:
      mask: of the pixels that the feature map stands for, int `[batch, height, width]`, 1 on the
        person, else 0.
      size: h, w of the feature map, on which the mask is averaged first.
      kernels: of the pyramid.
      stride: of all kernels.
      threshold: tau.

    Returns:
      float32 `[batch, N]`: 1 where the mask's mean is above tau, else 0.
    """
    shares = tf.image.resize(tf.cast(mask, tf.float32)[..., None], size, method="area")
    means = pool_pyramid(shares, kernels, stride, keras.ops.average_pool)
    # A mean that is the threshold, such as 1 of a patch inside the person, may be rounded upwards.
    return tf.cast(tf.squeeze(means, -1) > threshold + _ROUNDING, tf.float32)
