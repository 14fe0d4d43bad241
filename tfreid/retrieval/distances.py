"""Distances from query to gallery descriptors, a block of queries at a time."""

from collections.abc import Iterator

import numpy as np


def normalise(features: np.ndarray) -> np.ndarray:
    """Scales each descriptor to unit Euclidean length.

    Args:
      features: `[n, d]` floats.

    Returns:
      `[n, d]` float32. A descriptor of zeros stays zeros: it is at distance 1 from everything.
    """
    features = np.asarray(features, np.float32)
    # Scaling by the largest value first keeps the squares of any finite value finite.
    largest = np.maximum(features.max(axis=1), -features.min(axis=1))
    features = features / np.maximum(largest, 1e-30)[:, None]
    length = np.sqrt(np.einsum("nd,nd->n", features, features))
    features /= np.maximum(length, 1e-12)[:, None]
    return features


def cosine_distances(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """One minus the cosine of the angle between every query and every gallery descriptor.

    Args:
      query: `[queries, d]` floats.
      gallery: `[gallery, d]` floats.

    Returns:
      `[queries, gallery]` float32 in [0, 2].
    """
    return 1 - normalise(query) @ normalise(gallery).T


def cosine_blocks(
    query: np.ndarray, gallery: np.ndarray, block_size: int = 256
) -> Iterator[np.ndarray]:
    """Yields the rows of `cosine_distances` in blocks, so that the whole is never held.

    Args:
      query: `[queries, d]` floats.
      gallery: `[gallery, d]` floats.
      block_size: queries in one block; a block takes `4 * block_size * gallery` bytes.

    Yields:
      `[block_size, gallery]` float32, the last one shorter, in the order of the queries.
    """
    query, gallery = normalise(query), normalise(gallery)
    for start in range(0, len(query), block_size):
        yield 1 - query[start : start + block_size] @ gallery.T
