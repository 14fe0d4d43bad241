"""Losses that more than one method uses, one value an image."""

import tensorflow as tf


def identity_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Softmax cross-entropy over the training persons (DGD; PGP, section 3.1).

    Args:
      logits: float `[batch, persons]`.
      labels: int `[batch]`, in [0, persons).

    Returns:
      float32 `[batch]`.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=tf.cast(logits, tf.float32)
    )
