"""k-reciprocal re-ranking (Zhong et al., CVPR 2017), sparse and in blocks.

Images are compared by their neighbourhoods: two images are alike when the same images lie among
their nearest. Queries and gallery together are N images, queries first. Besides a block of
distances, only what grows with N x k is held.

As in the authors' code, which the paper's figures come from, a neighbourhood of size k is the
image itself and its k nearest, k + 1 images; distances are divided by the largest of their row.
Of images at the same distance the first ones are neighbours, queries before the gallery.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from tfreid.retrieval.distances import cosine_blocks, normalise

BLOCK_SIZE = 1024
"""Images in a block of distances that are computed here."""

_ROWS = 4096
_ROUNDING = 1e-6  # of a float32 distance: between equal descriptors there is nothing else


@dataclass(frozen=True)
class Reranking:
    """Parameters of the re-ranking; the defaults are the paper's for Market-1501.

    Attributes:
      k1: size of the neighbourhoods.
      k2: images whose encodings are averaged, the image itself included (local query expansion);
        1 leaves that out.
      original_weight: lambda, the share of the original distance in the final one.
    """

    k1: int = 20
    k2: int = 6
    original_weight: float = 0.3

    def __post_init__(self):
        """Refuses parameters that mean nothing."""
        if self.k1 < 1 or self.k2 < 1 or not 0 <= self.original_weight <= 1:
            raise ValueError(f"{self}: expected k1 and k2 from 1, original_weight from 0 to 1")

    def memory_bytes(self, images: int, block_bytes: int) -> int:
        """Estimates what re-ranking holds at its peak, descriptors aside.

        Args:
          images: N.
          block_bytes: of the largest block of distances.
        """
        # A row of the expanded encoding has about 2 k1 entries, averaging over k2 rows adds as
        # many again for each; an entry is a float64 and an int32, held twice while it is made.
        entries = 2 * self.k1 * (1 + self.k2)
        nearest = max(self.k1 + 1, self.k2)
        return 3 * block_bytes + images * (4 * nearest + 2 * 12 * entries)


class Distances(Protocol):
    """Distances among N images, queries first."""

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields `[block, N]` floats, in the order of the images."""

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns the distances `[n]` of n pairs of images, given by their indices `[n]`."""


class CosineDistances:
    """One minus the cosine, which is half the squared distance of descriptors of unit length."""

    def __init__(self, query: np.ndarray, gallery: np.ndarray):
        """Takes descriptors `[queries, d]` and `[gallery, d]`."""
        self._features = normalise(np.concatenate([query, gallery]))

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields `[block, N]`; `Distances.blocks`."""
        return cosine_blocks(self._features, self._features, BLOCK_SIZE)

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns `[n]`; `Distances.pairs`."""
        features = self._features
        distances = np.empty(len(rows), np.float32)
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            of_row = slice(start, end)
            distances[of_row] = 1 - features[columns[of_row]] @ features[rows[start]]
        return distances


def rerank(
    distances: Distances, queries: int, parameters: Reranking | None = None
) -> Iterator[np.ndarray]:
    """Re-ranks the gallery of every query.

    Args:
      distances: among all images, the first `queries` of which are the queries.
      queries: number of queries.
      parameters: of the method.

    Yields:
      `[block, gallery]` float64 in [0, 1], as `tfreid.retrieval.evaluate` takes them.
    """
    parameters = parameters or Reranking()
    nearest, farthest = _neighbours(distances.blocks(), max(parameters.k1 + 1, parameters.k2))
    encoding = _encode(distances, nearest, farthest, parameters)
    inverted = encoding[queries:].tocsc()
    row = 0
    for block in distances.blocks():
        block = block[: queries - row]
        original = block[:, queries:] / farthest[row : row + len(block), None]
        jaccard = _jaccard(encoding[row : row + len(block)], inverted)
        yield jaccard + parameters.original_weight * (original - jaccard)
        row += len(block)
        if row == queries:
            return


def _neighbours(blocks: Iterable[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns each image's nearest `[N, count]`, itself included, and largest distance `[N]`."""
    nearest, farthest = [], []
    image = 0
    for block in blocks:
        count = min(count, block.shape[1])
        part = _smallest(block, count)
        distance = np.take_along_axis(block, part, axis=1)
        # An image is its own nearest, also where others are identical to it.
        own = np.arange(image, image + len(block), dtype=np.int32)
        crowded_out = (part != own[:, None]).all(axis=1)
        part[crowded_out, -1] = own[crowded_out]
        distance[part == own[:, None]] = -np.inf
        order = np.argsort(distance, axis=1, kind="stable")
        nearest.append(np.take_along_axis(part, order, axis=1))
        farthest.append(block.max(axis=1))
        image += len(block)
    return np.concatenate(nearest), np.maximum(np.concatenate(farthest), _ROUNDING)


def _smallest(block: np.ndarray, count: int) -> np.ndarray:
    """Returns the columns `[block, count]` of each row's smallest, as a stable sort does."""
    part = np.argpartition(block, count - 1, axis=1)[:, :count].astype(np.int32)
    last = np.take_along_axis(block, part, axis=1).max(axis=1, keepdims=True)
    # More than `count` where several are as far as the last one: which of them is left to chance.
    tied = np.flatnonzero(np.count_nonzero(block <= last, axis=1) > count)
    part[tied] = np.argsort(block[tied], axis=1, kind="stable")[:, :count]
    part = np.sort(part, axis=1)
    order = np.argsort(np.take_along_axis(block, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, order, axis=1)


def _reciprocal(nearest: np.ndarray) -> sparse.csr_matrix:
    """R(p, k): ones `[N, N]` where two images are among each other's nearest (eq. 2)."""
    forward = _rows_of(np.ones(nearest.size, np.float32), nearest)
    return forward.multiply(forward.T).tocsr()


def _expanded(nearest: np.ndarray, k1: int) -> sparse.csr_matrix:
    """R*(p, k1): positive `[N, N]` in the neighbourhoods with those of their members (eq. 3)."""
    whole = _reciprocal(nearest)
    half = _reciprocal(nearest[:, : int(np.around(k1 / 2)) + 1])
    sizes = np.asarray(half.sum(axis=1)).ravel()
    expanded = []
    for start in range(0, len(nearest), _ROWS):
        part = slice(start, start + _ROWS)
        shared = (whole[part] @ half.T).multiply(whole[part]).tocsr()
        shared.data = (shared.data > 2 / 3 * sizes[shared.indices]).astype(np.float32)
        expanded.append(whole[part] + shared @ half)
    return sparse.vstack(expanded, format="csr")


def _encode(
    distances: Distances, nearest: np.ndarray, farthest: np.ndarray, parameters: Reranking
) -> sparse.csr_matrix:
    """V: how much each image belongs to another's neighbourhood, `[N, N]`, rows of sum 1."""
    encoding = _expanded(nearest[:, : parameters.k1 + 1], parameters.k1)
    encoding.eliminate_zeros()
    rows = np.repeat(np.arange(len(nearest)), np.diff(encoding.indptr))
    weights = np.exp(-distances.pairs(rows, encoding.indices).astype(np.float64) / farthest[rows])
    encoding.data = weights / np.bincount(rows, weights)[rows]
    averaged = nearest[:, : parameters.k2]
    return _rows_of(np.full(averaged.size, 1 / averaged.shape[1]), averaged) @ encoding


def _jaccard(encoding: sparse.csr_matrix, inverted: sparse.csc_matrix) -> np.ndarray:
    """Jaccard distances `[block, gallery]` (eq. 10); only what shares a neighbour is visited."""
    result = np.empty((encoding.shape[0], inverted.shape[0]))
    for row, (start, end) in enumerate(zip(encoding.indptr, encoding.indptr[1:], strict=False)):
        neighbours, weights = encoding.indices[start:end], encoding.data[start:end]
        first, counts = inverted.indptr[neighbours], np.diff(inverted.indptr)[neighbours]
        # The entries of the neighbours' columns, one column after the other.
        before = np.cumsum(counts) - counts
        entries = np.arange(counts.sum()) + np.repeat(first - before, counts)
        smaller = np.minimum(inverted.data[entries], np.repeat(weights, counts))
        shared = np.bincount(inverted.indices[entries], smaller, inverted.shape[0])
        result[row] = 1 - shared / (2 - shared)
    return result


def _rows_of(values: np.ndarray, columns: np.ndarray) -> sparse.csr_matrix:
    """`[N, N]` with `values` in the `columns [N, k]` of each row."""
    images, count = columns.shape
    ends = np.arange(0, images * count + 1, count)
    return sparse.csr_matrix((values, columns.ravel(), ends), (images, images))
