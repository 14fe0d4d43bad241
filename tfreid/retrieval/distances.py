"""Distances from query to gallery descriptors, a block of queries at a time.

A matrix product rounds an element at the edge of a matrix otherwise than one inside, and in a small
matrix otherwise than in a large one. So

- all products are taken of the same tiles, `TILE_QUERIES` queries by `TILE_IMAGES` gallery images,
  counted from the first ones, each by one thread: neither the size of the blocks nor the number of
  threads changes a bit of a distance;
- of equal descriptors in the gallery one is compared with the queries, and the others are given its
  distances: images that nothing distinguishes tie exactly, wherever they are.

Other changes of the data, such as another order of the gallery, and other processors or BLAS
libraries can change the last bits of a distance. With a BLAS library that threadpoolctl does not
know, so can the number of threads.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tfreid.retrieval.blas import one_thread_a_product
from tfreid.retrieval.memory import give_back

TILE_QUERIES, TILE_IMAGES = 256, 1024
"""Shape of a product: large enough to be fast, small enough that threads find enough of them."""

BLOCK_BYTES = 2**26
"""Memory of a block of distances, unless the caller chooses or one tile's height takes more."""

_ORDINARY_EXPONENT = 30
"""Up to 2^30 and from 2^-30, the squares and products of float32 values are ordinary numbers."""


def normalise(features: np.ndarray) -> np.ndarray:
    """Scales each descriptor to unit Euclidean length.

    Args:
      features: `[n, d]` floats.

    Returns:
      `[n, d]` float32. A descriptor of zeros stays zeros: it is at distance 1 from everything.

    Raises:
      ValueError: if a value is not finite.
    """
    return _unit_length(np.asarray(features))


def cosine_distances(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """One minus the cosine of the angle between every query and every gallery descriptor.

    Args:
      query: `[queries, d]` floats.
      gallery: `[gallery, d]` floats.

    Returns:
      `[queries, gallery]` float32 in [0, 2], up to rounding.

    Raises:
      ValueError: if a value is not finite.
    """
    distances = np.empty((len(query), len(gallery)), np.float32)
    row = 0
    for block in cosine_blocks(query, gallery):
        distances[row : row + len(block)] = block
        row += len(block)
    return distances


def cosine_blocks(
    query: np.ndarray, gallery: np.ndarray, block_size: int | None = None
) -> Iterator[np.ndarray]:
    """Yields the rows of `cosine_distances` in blocks, so that the whole is never held.

    The gallery is read once for each block and once before the first. It is not copied, and may
    be a memory-mapped file: what was read of it is given back to the system.

    Args:
      query: `[queries, d]` floats.
      gallery: `[gallery, d]` floats.
      block_size: queries in one block, rounded up to a multiple of `TILE_QUERIES`; a block takes
        `4 * block_size * gallery` bytes. By default as many as `BLOCK_BYTES` hold. No distance
        depends on it.

    Yields:
      `[block_size, gallery]` float32, the last one shorter, in the order of the queries.

    Raises:
      ValueError: if a value is not finite.
    """
    images = _Gallery(gallery)
    size = block_size or BLOCK_BYTES // (4 * max(len(gallery), 1)) // TILE_QUERIES * TILE_QUERIES
    size = -(-max(size, 1) // TILE_QUERIES) * TILE_QUERIES
    for start in range(0, len(query), size):
        yield images.distances(_unit_length(query[start : start + size], start))


class _Gallery:
    """Descriptors as they are, the factors that would make them unit length, who equals whom."""

    def __init__(self, features: np.ndarray):
        self._features = features
        self._exponents = np.zeros(len(features), np.int32)
        self._factors = np.zeros(len(features), np.float32)
        largest = np.zeros(len(features), np.float32)
        for chunk in self._chunks():
            self._exponents[chunk] = _exponents(features[chunk], chunk.start)
            rows = _scaled(features[chunk], self._exponents[chunk])
            self._factors[chunk] = _inverse_lengths(rows)
            largest[chunk] = rows.max(axis=1, initial=-np.inf) + 0  # -0 is 0
            give_back(features[chunk])
        self._copies, self._originals = self._find_equal(largest)

    def _find_equal(self, largest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns images `[copies]` and for each the first image with the same descriptor."""
        # Few different descriptors agree in length and largest value; only these are looked at.
        keys = np.stack([self._factors, largest], axis=1).view(np.uint64)[:, 0]
        _, key, counts = np.unique(keys, return_inverse=True, return_counts=True)
        first, copies = {}, {}
        for image in np.flatnonzero(counts[key] > 1).tolist():
            one = slice(image, image + 1)
            row = _scaled(self._features[one], self._exponents[one])
            digest = hashlib.blake2b(row + 0, digest_size=16).digest()
            if first.setdefault(digest, image) != image:
                copies[image] = first[digest]
            give_back(self._features[one])
        return np.array(list(copies), np.intp), np.array(list(copies.values()), np.intp)

    def distances(self, query: np.ndarray) -> np.ndarray:
        """Returns the distances `[queries, gallery]` of unit descriptors `[queries, d]`."""
        distances = np.empty((len(query), len(self._features)), np.float32)

        def fill(chunk: slice) -> None:
            images = _scaled(self._features[chunk], self._exponents[chunk]).T
            for top in range(0, len(query), TILE_QUERIES):
                tile = distances[top : top + TILE_QUERIES, chunk]
                np.matmul(query[top : top + TILE_QUERIES], images, out=tile)
                tile *= self._factors[chunk]
                np.subtract(1, tile, out=tile)
            give_back(self._features[chunk])

        with one_thread_a_product() as threads, ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(fill, self._chunks()):
                pass
        distances[:, self._copies] = distances[:, self._originals]
        return distances

    def _chunks(self) -> Iterator[slice]:
        images = len(self._features)
        for start in range(0, images, TILE_IMAGES):
            yield slice(start, min(start + TILE_IMAGES, images))


def _unit_length(features: np.ndarray, first: int = 0) -> np.ndarray:
    rows = _scaled(features, _exponents(features, first))
    return rows * _inverse_lengths(rows)[:, None]


def _exponents(features: np.ndarray, first: int) -> np.ndarray:
    """Returns the power of two `[n]` to divide each descriptor by: mostly 0."""
    if not features.shape[1]:
        return np.zeros(len(features), np.int32)
    largest = np.maximum(np.abs(features.max(axis=1)), np.abs(features.min(axis=1)))
    if not np.isfinite(largest).all():
        row = first + np.flatnonzero(~np.isfinite(largest))[0]
        raise ValueError(f"descriptor {row} has values that are not finite")
    exponents = np.frexp(largest)[1]
    return np.where(np.abs(exponents) > _ORDINARY_EXPONENT, exponents, 0)


def _scaled(features: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Divides by powers of two, which rounds nothing; float32, and no copy where none is needed."""
    if exponents.any():
        features = np.ldexp(features, -exponents[:, None])
    return np.ascontiguousarray(features, np.float32)


def _inverse_lengths(rows: np.ndarray) -> np.ndarray:
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    return np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
