"""Reconstruction distances between all pairs of a batch, differentiable (FPR, section 3.2)."""

import tensorflow as tf

from tfreid.methods.triplet import safe_sqrt


def reconstruction_errors(queries: tf.Tensor, keys: tf.Tensor, beta: float) -> tf.Tensor:
    """How badly a key's positions reconstruct each position of a query (FPR, eq. 1 to 3).

    With the key's Gram matrix A = Y'Y + beta I and k = Y'x, the residual needs no reconstruction:
    e^2 = |x - YA^-1 k|^2 = |x|^2 - k'A^-1 k - beta |A^-1 k|^2. Each key is factorised once,
    A = LL', and L^-1 k and A^-1 k come from triangular solves.

    Args:
      queries: X, float `[queries, N, d]`.
      keys: Y, float `[keys, M, d]`.
      beta: weight of the coefficients' norm.

    Returns:
      e, float `[queries, keys, N]`.
    """
    count, positions, size = tf.unstack(tf.shape(queries))
    gram = tf.linalg.matmul(keys, keys, transpose_b=True)
    factor = tf.linalg.cholesky(gram + beta * tf.eye(tf.shape(keys)[1], dtype=keys.dtype))
    flat = tf.reshape(queries, (count * positions, size))
    products = tf.linalg.matmul(keys, flat[None], transpose_b=True)  # k: [keys, M, queries x N]
    halves = tf.linalg.triangular_solve(factor, products)
    coefficients = tf.linalg.triangular_solve(factor, halves, adjoint=True)
    explained = tf.reduce_sum(halves**2 + beta * coefficients**2, axis=1)
    errors = safe_sqrt(tf.reduce_sum(flat**2, axis=1) - explained)
    return tf.transpose(tf.reshape(errors, (-1, count, positions)), (1, 0, 2))


def reconstruction_distances(
    queries: tf.Tensor, weights: tf.Tensor, keys: tf.Tensor, beta: float
) -> tf.Tensor:
    """The weighted sum of a query's reconstruction errors (FPR, eq. 5; eq. 4 for 1 / N).

    It is not symmetric: the query's positions are reconstructed, with the query's weights.

    Args:
      queries: X, float `[queries, N, d]`, each position of length 1.
      weights: H, float `[queries, N]`, each row's sum is 1.
      keys: Y, float `[keys, M, d]`, each position of length 1.
      beta: weight of the coefficients' norm.

    Returns:
      `[queries, keys]`.
    """
    return tf.reduce_sum(weights[:, None] * reconstruction_errors(queries, keys, beta), axis=2)
