"""Reconstruction distances between all pairs of a batch, differentiable (FPR, section 3.2)."""

from typing import NamedTuple

import tensorflow as tf

from tfreid.methods.triplet import safe_sqrt


def reconstruction_errors(queries: tf.Tensor, keys: tf.Tensor, beta: float) -> tf.Tensor:
    """How badly a key's positions reconstruct each position of a query (FPR, eq. 1 to 3).

    With the key's Gram matrix A = Y'Y + beta I and k = Y'x, the residual needs no reconstruction:
    e^2 = |x - YA^-1 k|^2 = |x|^2 - k'A^-1 k - beta |A^-1 k|^2.

    Args:
      queries: X, float `[queries, N, d]`.
      keys: Y, float `[keys, M, d]`.
      beta: weight of the coefficients' norm.

    Returns:
      e, float `[queries, keys, N]`.
    """
    count, positions, size = tf.unstack(tf.shape(queries))
    flat = tf.reshape(queries, (count * positions, size))
    explained = _explained(flat, keys, tf.constant(beta, keys.dtype))
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


@tf.custom_gradient
def _explained(flat: tf.Tensor, keys: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """k'A^-1 k + beta |A^-1 k|^2 of each key and position, `[keys, positions]`.

    One key after the other, forward and backward: all keys' products with all positions, and what
    automatic differentiation keeps of them, would fill gigabytes at the paper's size.
    """

    def of_key(key):
        found = _coefficients(flat, key, beta)
        return tf.reduce_sum(found.halves**2 + beta * found.coefficients**2, axis=0)

    def gradient(upstream):
        def add(number, to_flat, to_keys):
            key, weight = keys[number], upstream[number]
            factor, _, coefficients = _coefficients(flat, key, beta)
            twice = tf.linalg.cholesky_solve(factor, coefficients)
            to_products = 2 * weight * (coefficients + beta * twice)
            mixed = tf.linalg.matmul(
                weight * coefficients, coefficients + 2 * beta * twice, transpose_b=True
            )
            to_gram = mixed + tf.transpose(mixed)  # Of A's both factors, hence not halved.
            to_key = tf.linalg.matmul(to_products, flat) - tf.linalg.matmul(to_gram, key)
            to_flat += tf.linalg.matmul(to_products, key, transpose_a=True)
            return number + 1, to_flat, to_keys.write(number, to_key)

        count = tf.shape(keys)[0]
        _, to_flat, to_keys = tf.while_loop(
            lambda number, *_: number < count,
            add,
            (0, tf.zeros_like(flat), tf.TensorArray(keys.dtype, count)),
            parallel_iterations=1,
        )
        return to_flat, to_keys.stack(), None

    return tf.map_fn(of_key, keys, parallel_iterations=1), gradient


class _Coefficients(NamedTuple):
    """L with A = LL', L^-1 k and A^-1 k of one key, `[M, M]` and `[M, positions]`."""

    factor: tf.Tensor
    halves: tf.Tensor
    coefficients: tf.Tensor


def _coefficients(flat: tf.Tensor, key: tf.Tensor, beta: tf.Tensor) -> _Coefficients:
    gram = tf.linalg.matmul(key, key, transpose_b=True)
    factor = tf.linalg.cholesky(gram + beta * tf.eye(tf.shape(key)[0], dtype=key.dtype))
    products = tf.linalg.matmul(key, flat, transpose_b=True)
    halves = tf.linalg.triangular_solve(factor, products)
    return _Coefficients(factor, halves, tf.linalg.triangular_solve(factor, halves, adjoint=True))
