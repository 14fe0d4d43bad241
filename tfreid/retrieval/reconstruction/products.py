"""Reconstruction distances by products of stacked matrices.

As in `tfreid.retrieval.distances`, all products are of the same tiles, each by one thread: images
that follow each other, counted from the first one, as many as have `TILE_POSITIONS` positions. So
neither the memory budget nor the number of threads changes a bit of a distance.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from tfreid.retrieval.memory import give_back
from tfreid.retrieval.reconstruction.equations import factor
from tfreid.retrieval.reconstruction.positions import PositionFeatures

TILE_POSITIONS = 1024
"""Height and width of a product, unless one image has more positions."""

CLOSE = 1e-3
"""Share of a position's square below which float32 does not tell its error well enough.

The difference of squares is right up to about 1e-6, so the error e above this up to 2e-5."""

CORRECTED_POSITIONS = 256
"""Positions of queries that are multiplied in float64 at a time."""


def tiles(counts: np.ndarray) -> list[slice]:
    """Divides images into stretches that products are taken of.

    Dividing again from the start of any stretch gives the same stretches.

    Args:
      counts: `[n]` integers, the number of positions of each image.
    """
    ends = np.cumsum(counts)
    found, start, done = [], 0, 0
    while start < len(counts):
        stop = max(int(np.searchsorted(ends, done + TILE_POSITIONS, side="right")), start + 1)
        found.append(slice(start, stop))
        start, done = stop, int(ends[stop - 1])
    return found


class Probes:
    """Some queries, prepared for products."""

    def __init__(self, images: PositionFeatures, first: int):
        """Takes queries, the first of which has the number `first`.

        Raises:
          ValueError: if a query has values that are not finite.
        """
        self._positions = images.positions
        self.rows = np.ascontiguousarray(images.positions, np.float32)
        self.squares = np.einsum("nd,nd->n", self.rows, self.rows, dtype=np.float64)
        self.weights = images.weights.astype(np.float64)
        self.starts = images.starts[:-1]
        sums = np.add.reduceat(self.squares + self.weights, self.starts)
        if not np.isfinite(sums).all():
            image = first + int(np.flatnonzero(~np.isfinite(sums))[0])
            raise ValueError(f"query image {image} has positions or weights that are not finite")

    def mean(self, errors: np.ndarray) -> np.ndarray:
        """Returns the weighted means `[queries, n]` of `[positions, n]` (FPR, eq. 5)."""
        return np.add.reduceat(self.weights[:, None] * errors, self.starts, axis=0)

    def give_back(self) -> None:
        """Lets the system reuse the memory of what was read from a file."""
        give_back(self._positions)


class GalleryBlock:
    """Factors of some gallery images."""

    def __init__(self, images: PositionFeatures, first: int, beta: float, space: np.ndarray):
        """Takes gallery images; `factorise` them before their distances are asked for.

        Args:
          images: the images.
          first: the number of the first one.
          beta: weight of the penalty on the coefficients.
          space: float32 `[at least all positions, d]` for the factors.
        """
        self._images, self._first, self._beta = images, first, beta
        self._factors = space[: len(images.positions)]
        self.tiles = tiles(images.counts)

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self._images)

    def factorise(self, images: np.ndarray, pool: ThreadPoolExecutor) -> None:
        """Factorises some of the images.

        Raises:
          ValueError: if an image has values that are not finite, or beta is too small for it.
        """

        def one(image: int) -> None:
            self._factors[self._rows(image)] = self._factor(image)

        for _ in pool.map(one, images.tolist()):
            pass

    def distances(self, probes: Probes, images: slice) -> np.ndarray:
        """Returns the distances `[queries, images]` float32 of queries from a stretch of images."""
        starts = self._images.starts[images.start : images.stop + 1]
        product = probes.rows @ self._factors[starts[0] : starts[-1]].T
        explained = np.empty((len(product), len(starts) - 1), np.float32)
        for column, (start, stop) in enumerate(pairwise(starts)):
            part = product[:, start - starts[0] : stop - starts[0]]
            np.einsum("nm,nm->n", part, part, out=explained[:, column])
        left = probes.squares[:, None] - explained
        self._correct(left, probes, images.start)
        return probes.mean(np.sqrt(np.maximum(left, 0))).astype(np.float32)

    def _correct(self, left: np.ndarray, probes: Probes, first: int) -> None:
        """Computes in float64 what the difference of float32 values does not tell."""
        close = left < CLOSE * probes.squares[:, None]
        for column in np.flatnonzero(close.any(axis=0)).tolist():
            factors, rows = self._factor(first + column), np.flatnonzero(close[:, column])
            for start in range(0, len(rows), CORRECTED_POSITIONS):
                some = rows[start : start + CORRECTED_POSITIONS]
                product = probes.rows[some] @ factors.T
                explained = np.einsum("nm,nm->n", product, product)
                left[some, column] = probes.squares[some] - explained

    def _rows(self, image: int) -> slice:
        return slice(*self._images.starts[image : image + 2])

    def _factor(self, image: int) -> np.ndarray:
        positions = self._images.positions[self._rows(image)]
        values = np.asarray(positions, np.float64)
        give_back(positions)
        if not np.isfinite(values).all():
            raise ValueError(f"gallery image {self._first + image} has values that are not finite")
        try:
            return factor(values, self._beta)
        except np.linalg.LinAlgError:
            raise ValueError(
                f"beta={self._beta:g} is too small to reconstruct from gallery image "
                f"{self._first + image}: choose a larger one"
            ) from None
