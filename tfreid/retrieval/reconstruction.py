"""Matching by reconstruction."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tfreid.retrieval.blas import one_thread_a_product
from tfreid.retrieval.positions import PositionFeatures
from tfreid.retrieval.reconstruction_factors import reconstruction_distance, reconstruction_errors
from tfreid.retrieval.reconstruction_matching import MODES, ReconstructionMatching
from tfreid.retrieval.reconstruction_products import GalleryBlock, Probes, tiles

__all__ = [
    "MODES",
    "ReconstructionMatching",
    "reconstruction_blocks",
    "reconstruction_distance",
    "reconstruction_errors",
]

Announce = Callable[[float], None]
"""Is told how much of the matching is done, a fraction."""


def no_announcement(done: float) -> None:
    """Tells nobody."""


def reconstruction_blocks(
    query: PositionFeatures,
    gallery: PositionFeatures,
    matching: ReconstructionMatching | None = None,
    *,
    folder: str | Path | None = None,
    announce: Announce = no_announcement,
) -> Iterator[np.ndarray]:
    """Yields the distances of queries from gallery images.

    Args:
      query: the queries, the probes of the paper.
      gallery: the gallery images.
      matching: how to match.
      folder: keeps what is finished, so that a stopped run goes on from there.
      announce: called with the fraction that is done.

    Yields:
      `[block, gallery]` float32, in the order of the queries, as `tfreid.retrieval.evaluate`
      takes them.
    """
    matching = matching or ReconstructionMatching()
    space = np.empty(gallery.positions.shape, np.float32)
    block = GalleryBlock(gallery, 0, matching.beta, space)
    with one_thread_a_product() as threads, ThreadPoolExecutor(threads) as pool:
        block.factorise(np.arange(len(gallery)), pool)
        parts = []
        for tile in tiles(query.counts):
            probes = Probes(query[tile], tile.start)
            parts.append(
                np.concatenate([block.distances(probes, images) for images in block.tiles], axis=1)
            )
            announce(tile.stop / len(query))
    yield from parts
