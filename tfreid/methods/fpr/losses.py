"""FPR's losses, one value an image (FPR, section 3.3)."""

from collections.abc import Mapping

import tensorflow as tf

from tfreid.methods.fpr.reconstruction import reconstruction_distances
from tfreid.methods.triplet import (
    batch_hard_triplet,
    euclidean_distances,
    gather_replicas,
    self_mask,
)


def triplet_loss(
    outputs: Mapping[str, tf.Tensor], labels: tf.Tensor, margin: float, beta: float
) -> tf.Tensor:
    """The batch-hard triplet loss over the global batch (FPR, eq. 6).

    Distances are reconstruction distances where the model has positions, else those of the pooled
    descriptors, scaled to length 1.

    Args:
      outputs: `positions` and `foreground`, or `embedding`, of this device's images.
      labels: int `[batch]`, of this device's images.
      margin: m.
      beta: of the reconstruction.

    Returns:
      `[batch]`.
    """
    if "positions" in outputs:
        queries = outputs["positions"]
        keys = gather_replicas(queries)
        distances = reconstruction_distances(queries, outputs["foreground"], keys, beta)
    else:
        queries = tf.math.l2_normalize(outputs["embedding"], axis=1)
        keys = gather_replicas(queries)
        distances = euclidean_distances(queries, keys)
    is_self = self_mask(queries, keys)
    return batch_hard_triplet(distances, labels, gather_replicas(labels), is_self, margin)


def foreground_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Negative log-likelihood of the labels, the sum over positions (FPR, eq. 9).

    The paper prints the equation without its minus sign.

    Args:
      logits: of the foreground probability generator, float `[batch, N]`.
      labels: y, float `[batch, N]`, 1 on the person.

    Returns:
      `[batch]`.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_sum(losses, axis=1)
