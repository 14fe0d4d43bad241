"""FA-Net's losses, one value an image (FA-Net, sections III-C, III-D and IV-C)."""

import tensorflow as tf

OBJECTIVE = {"identity": 0.5, "camera": 0.5, "target_attention": 1.0}
"""Weights of L_f, L_b and L_t in the objective L = 1/2 (L_f + L_b) + L_t (FA-Net, eq. 6)."""

TARGET_ATTENTIONS = ("none", "paper", "v1", "v2")
"""No target attention loss, eq. 4, and the two variants of eq. 7."""


def stripe_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Softmax cross-entropy, the mean over the stripes: L_f of persons, L_b of cameras.

    Args:
      logits: float `[batch, stripes, classes]`.
      labels: int `[batch]`, in [0, classes).

    Returns:
      float32 `[batch]`.
    """
    stripes = logits.shape[1]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.repeat(labels[:, None], stripes, axis=1), logits=tf.cast(logits, tf.float32)
    )
    return tf.reduce_mean(losses, axis=1)


def l2_normalise_spatially(features: tf.Tensor) -> tf.Tensor:
    """Divides every channel by its L2 norm over all positions (FA-Net, eq. 5).

    Args:
      features: F or B, float `[batch, h, w, channels]`.

    Returns:
      The same shape; a channel that is 0 everywhere stays so.
    """
    squares = tf.reduce_sum(tf.square(features), axis=(1, 2), keepdims=True)
    return features * tf.math.rsqrt(tf.maximum(squares, 1e-12))


def target_attention_loss(
    foreground: tf.Tensor, background: tf.Tensor, mask: tf.Tensor, variant: str = "paper"
) -> tf.Tensor:
    """Response of each branch where the other's target is: L_t (FA-Net, eq. 4; eq. 7 for v1, v2).

    Args:
      foreground: F, the raw feature map of the foreground branch, float `[batch, h, w, channels]`.
      background: B, that of the background branch.
      mask: Z^f, float `[batch, h, w, 1]`.
      variant: `"paper"`, `"v1"` (the mean of F + B) or `"v2"` (without normalisation).

    Returns:
      `[batch]`, the mean over positions and channels.
    """
    if variant == "v1":
        return tf.reduce_mean(foreground + background, axis=(1, 2, 3))
    if variant == "paper":
        foreground, background = map(l2_normalise_spatially, (foreground, background))
    return tf.reduce_mean(foreground * (1 - mask) + background * mask, axis=(1, 2, 3))
