"""Which queries are compared with which gallery images: all, or each with a shortlist.

Distances are computed for a stretch of gallery images at a time, as one array; from those of all
stretches come the distances row by row.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import numpy as np
from scipy import sparse

from tfreid.retrieval.distances import BLOCK_BYTES, TILE_QUERIES, cosine_blocks
from tfreid.retrieval.memory import give_back
from tfreid.retrieval.reconstruction.matching import ReconstructionMatching
from tfreid.retrieval.reconstruction.positions import PositionFeatures
from tfreid.retrieval.reconstruction.products import GalleryBlock, Probes, tiles

Advance = Callable[[int], None]
"""Is told how many more pairs are done."""


class Pairs(Protocol):
    """Pairs of queries and gallery images to reconstruct."""

    held_bytes: int
    """What is held all the time."""

    working_bytes: int
    """What is held besides, before the first and after the last stretch."""

    def count(self, images: slice) -> int:
        """Returns the number of pairs of a stretch of gallery images."""

    def first_product(self) -> tuple[slice, slice]:
        """Returns the queries and the gallery images of the first product."""

    def part_bytes(self, images: slice) -> int:
        """Returns what the distances of a stretch take."""

    def part(
        self, block: GalleryBlock, images: slice, pool: ThreadPoolExecutor, advance: Advance
    ) -> np.ndarray:
        """Returns the distances of a stretch, float32, in an order of its own."""

    def rows(self, parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Yields `[block, gallery]` float32 from the parts of all stretches."""


class AllPairs:
    """Every query with every gallery image; a part is `[queries, images]`."""

    def __init__(self, query: PositionFeatures, gallery: PositionFeatures):
        """Takes the queries and the gallery images."""
        self._query, self._gallery = query, gallery
        self._block = min(max(BLOCK_BYTES // (4 * len(gallery)), 1), len(query))
        self.held_bytes = 0
        self.working_bytes = 2 * 4 * len(gallery) * self._block

    def count(self, images: slice) -> int:
        """Returns the number of pairs; `Pairs.count`."""
        return len(self._query) * (images.stop - images.start)

    def first_product(self) -> tuple[slice, slice]:
        """Returns a tile of each; `Pairs.first_product`."""
        return tiles(self._query.counts)[0], tiles(self._gallery.counts)[0]

    def part_bytes(self, images: slice) -> int:
        """Returns the size of a part; `Pairs.part_bytes`."""
        return 4 * self.count(images)

    def part(
        self, block: GalleryBlock, images: slice, pool: ThreadPoolExecutor, advance: Advance
    ) -> np.ndarray:
        """Returns `[queries, images]`; `Pairs.part`."""
        block.factorise(np.arange(len(block)), pool)
        distances = np.empty((len(self._query), len(block)), np.float32)
        for tile in tiles(self._query.counts):
            probes = Probes(self._query[tile], tile.start)
            columns = pool.map(partial(block.distances, probes), block.tiles)
            for stretch, found in zip(block.tiles, columns, strict=True):
                distances[tile, stretch] = found
                advance(found.size)
            probes.give_back()
        return distances

    def rows(self, parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Yields `[block, gallery]`; `Pairs.rows`."""
        for start in range(0, len(self._query), self._block):
            rows = [part[start : start + self._block] for part in parts]
            yield np.concatenate(rows, axis=1)
            for part in rows:
                give_back(part)


class Shortlist:
    """Each query with the gallery images nearest by pooled descriptor; a part is `[pairs]`.

    Pairs are ordered by gallery image, then by query.
    """

    def __init__(
        self, query: PositionFeatures, gallery: np.ndarray, matching: ReconstructionMatching
    ):
        """Finds the pairs among queries and gallery images of pooled descriptors `[gallery, d]`."""
        self._query, self._gallery = query, gallery
        self._pooled_weight = matching.pooled_weight
        self._starts, self._queries = self._nearest(matching.shortlist_size)
        block = min(TILE_QUERIES, len(query))
        self.held_bytes = 8 * len(self._queries)
        descriptors = 2 * block * gallery.shape[1]
        self.working_bytes = 16 * len(self._queries) + 4 * (4 * block * len(gallery) + descriptors)

    def _nearest(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns where each image's pairs start `[gallery + 1]` and their queries `[pairs]`."""
        size = min(size, len(self._gallery))
        rows, columns, first = [], [], 0
        for block in self._cosines():
            farthest = np.partition(block, size - 1, axis=1)[:, size - 1 : size]
            row, column = np.nonzero(block <= farthest)
            rows.append((first + row).astype(np.int32))
            columns.append(column.astype(np.int32))
            first += len(block)
        found, images = np.concatenate(rows), np.concatenate(columns)
        counts = np.bincount(images, minlength=len(self._gallery))
        return np.append(0, np.cumsum(counts)), found[np.argsort(images, kind="stable")]

    def _cosines(self) -> Iterator[np.ndarray]:
        return cosine_blocks(self._query.pooled, self._gallery, TILE_QUERIES)

    def count(self, images: slice) -> int:
        """Returns the number of pairs; `Pairs.count`."""
        return int(self._starts[images.stop] - self._starts[images.start])

    def first_product(self) -> tuple[slice, slice]:
        """Returns one image of each; `Pairs.first_product`."""
        return slice(0, 1), slice(0, 1)

    def part_bytes(self, images: slice) -> int:
        """Returns the size of a part; `Pairs.part_bytes`."""
        return 4 * self.count(images)

    def part(
        self, block: GalleryBlock, images: slice, pool: ThreadPoolExecutor, advance: Advance
    ) -> np.ndarray:
        """Returns `[pairs]`; `Pairs.part`."""
        starts = self._starts[images.start : images.stop + 1] - self._starts[images.start]
        columns = np.repeat(np.arange(len(block)), np.diff(starts))
        queries = self._queries[slice(*self._starts[[images.start, images.stop]])]
        block.factorise(np.flatnonzero(np.diff(starts)), pool)
        distances = np.empty(len(queries), np.float32)

        def fill(pairs: np.ndarray) -> int:
            query = int(queries[pairs[0]])
            probes = Probes(self._query[query : query + 1], query)
            for pair in pairs.tolist():
                image = slice(columns[pair], columns[pair] + 1)
                distances[pair] = block.distances(probes, image)[0, 0]
            probes.give_back()
            return len(pairs)

        order = np.argsort(queries, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(queries[order])) + 1) if len(order) else []
        for done in pool.map(fill, groups):
            advance(done)
        return distances

    def rows(self, parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Yields `[block, gallery]`; `Pairs.rows`."""
        shape = len(self._query), len(self._gallery)
        pairs = (np.concatenate(parts), self._queries, self._starts)
        found = sparse.csc_matrix(pairs, shape).tocsr()
        largest = self._largest()
        first = 0
        for block in self._cosines():
            last = first + len(block)
            chosen = found[first:last]
            rows = np.repeat(np.arange(len(block)), np.diff(chosen.indptr))
            weight = np.float32(self._pooled_weight)
            near = weight * block[rows, chosen.indices] + (1 - weight) * chosen.data
            block += 1 + largest[first:last]
            block[rows, chosen.indices] = near
            yield block
            first = last

    def _largest(self) -> np.ndarray:
        """Returns the largest distance that each query could have, `[queries, 1]` float32."""
        largest = np.empty((len(self._query), 1), np.float32)
        for tile in tiles(self._query.counts):
            probes = Probes(self._query[tile], tile.start)
            largest[tile] = probes.mean(np.sqrt(probes.squares)[:, None])
            probes.give_back()
        return largest
