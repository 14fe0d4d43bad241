"""The loss of the parsing network."""

import tensorflow as tf


def pixel_cross_entropy(logits: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Softmax cross-entropy over the region classes, averaged over pixels (PGP, section 3.2).

    Args:
      logits: float `[batch, height, width, classes]`.
      mask: int `[batch, height, width]`, in [0, classes).

    Returns:
      float32 `[batch]`.
    """
    per_pixel = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=mask, logits=tf.cast(logits, tf.float32)
    )
    return tf.reduce_mean(per_pixel, axis=(1, 2))
