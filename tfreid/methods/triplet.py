"""The batch-hard triplet loss, on distances of any kind and on batches spread over devices."""

import tensorflow as tf


def batch_hard_triplet(
    distances: tf.Tensor,
    query_labels: tf.Tensor,
    key_labels: tf.Tensor,
    is_self: tf.Tensor,
    margin: float,
) -> tf.Tensor:
    """How far each image's hardest positive is from being nearer than its hardest negative.

    Source: Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification", 2017,
    eq. 5, with a hinge; FPR, eq. 6.

    Args:
      distances: of queries to keys, float `[queries, keys]`, not negative.
      query_labels: int `[queries]`.
      key_labels: int `[keys]`.
      is_self: bool `[queries, keys]`, where the key is the query itself.
      margin: m.

    Returns:
      `[queries]`: max(0, m + hardest positive - hardest negative). A query without another image
      of its person has itself, at distance 0, as its positive; without images of other persons
      there is nothing to tell apart, and the loss is 0.
    """
    same = query_labels[:, None] == key_labels[None, :]
    positives, negatives = tf.logical_and(same, tf.logical_not(is_self)), tf.logical_not(same)
    zero = tf.zeros_like(distances)
    hardest_positive = tf.reduce_max(tf.where(positives, distances, zero), axis=1)
    unreachable = tf.fill(tf.shape(distances), distances.dtype.max)
    hardest_negative = tf.reduce_min(tf.where(negatives, distances, unreachable), axis=1)
    return tf.nn.relu(margin + hardest_positive - hardest_negative)


def euclidean_distances(queries: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Distances `[queries, keys]` of vectors `[queries, d]` and `[keys, d]`."""
    squares = tf.reduce_sum(queries**2, axis=1)[:, None] + tf.reduce_sum(keys**2, axis=1)
    return safe_sqrt(squares - 2.0 * tf.linalg.matmul(queries, keys, transpose_b=True))


def safe_sqrt(squares: tf.Tensor) -> tf.Tensor:
    """Square roots of values that rounding may have made negative; 0 there, as is the gradient.

    What is as small as the rounding of a difference of values around 1 counts as 0. Its gradient
    would be noise, and infinite at 0.
    """
    positive = squares > 2 * _ROUNDING[squares.dtype]
    return tf.where(positive, tf.sqrt(tf.where(positive, squares, tf.ones_like(squares))), 0)


def gather_replicas(values: tf.Tensor) -> tf.Tensor:
    """Joins the values of all devices along the first axis, so that each sees the global batch.

    The gradient flows back to the device that a value comes from.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    # The tensors of a worker with one device are on no device that `all_gather` can name, until an
    # operation puts them there.
    return context.all_gather(tf.identity(values), axis=0)


def self_mask(queries: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Where the key is the query itself, of a device's queries and all devices' keys.

    Args:
      queries: `[queries, ...]` of this device.
      keys: `[keys, ...]`, as `gather_replicas` joins the queries of all devices.

    Returns:
      bool `[queries, keys]`.
    """
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    count = tf.shape(queries)[0]
    own = tf.cast(replica, tf.int32) * count + tf.range(count)
    return own[:, None] == tf.range(tf.shape(keys)[0])[None, :]


_ROUNDING = {tf.float32: 1.2e-7, tf.float64: 2.3e-16}
