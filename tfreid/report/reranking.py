"""Re-ranks what an audit ranks: beside the plain outcome, never instead of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfreid.errors import UsageError
from tfreid.report.descriptors import Descriptors
from tfreid.report.distances import Announce, all_distances, not_junk, with_junk
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.report.measurement import Measurement
from tfreid.retrieval import Distances, Reranking, rerank
from tfreid.retrieval.memory import available_bytes
from tfreid.retrieval.reranking import BLOCK_SIZE

_DESCRIPTOR_COPIES = 4


def no_announcement(done: float) -> None:
    """Tells nobody."""


def reranked_blocks(
    query: Descriptors,
    gallery: Descriptors,
    measurement: Measurement,
    folder: Path | None = None,
    announce: Announce = no_announcement,
) -> Iterator[np.ndarray]:
    """Re-ranks the gallery by the distance that is measured.

    Junk, which no protocol ranks, is nobody's neighbour.

    Args:
      query: descriptors of the queries, which are each other's neighbours too.
      gallery: descriptors of the gallery images.
      measurement: says how to re-rank, and by which distance.
      folder: where reconstruction distances are kept.
      announce: told of the progress, of a reconstruction or else of the re-ranking.

    Yields:
      `[block, gallery]` floats as `tfreid.retrieval.evaluate` takes them, infinite for junk.
    """
    valid, queries = not_junk(gallery), len(query.features)
    distances = all_distances(query, gallery, measurement.matching, folder, announce)
    if not measurement.matching:
        distances = _Watched(distances, queries + valid.sum() + queries, announce)
    yield from with_junk(rerank(distances, queries, measurement.reranking), valid)


class _Watched:
    """Distances that tell how many of them were asked for."""

    def __init__(self, distances: Distances, rows: int, announce: Announce):
        """Takes distances, the rows of them that will be asked for, and who is told."""
        self.pairs = distances.pairs
        self._distances, self._rows, self._announce = distances, rows, announce
        self._done = 0

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields `[block, N]`; `Distances.blocks`."""
        for block in self._distances.blocks():
            self._done += len(block)
            self._announce(min(self._done / self._rows, 1.0))
            yield block


def require_memory(tested: EvaluationSet, parameters: Reranking, descriptor_size: int) -> int:
    """Estimates what re-ranking needs, and refuses what this machine does not have.

    Args:
      tested: the images.
      parameters: of the re-ranking.
      descriptor_size: values of a descriptor.

    Returns:
      The estimate, in bytes, descriptors included.

    Raises:
      UsageError: if that much memory is not available.
    """
    images = sum(map(len, tested.records.values()))
    needed = parameters.memory_bytes(images, 4 * BLOCK_SIZE * images)
    needed += _DESCRIPTOR_COPIES * 4 * descriptor_size * images
    available = available_bytes()
    if needed > available:
        raise UsageError(
            f"re-ranking the {images:,} query and gallery images of {tested.dataset} takes about "
            f"{needed / 2**30:.1f} GiB of memory, and {available / 2**30:.1f} GiB are available: "
            "free some, choose a smaller --rerank_k1 or --rerank_k2, or leave --rerank out"
        )
    return needed
