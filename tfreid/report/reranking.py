"""Re-ranks what an audit ranks: beside the plain outcome, never instead of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tfreid.datasets import JUNK_PERSON_ID
from tfreid.errors import UsageError
from tfreid.report.descriptors import Descriptors
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.retrieval import CosineDistances, Distances, Reranking, rerank
from tfreid.retrieval.reranking import BLOCK_SIZE

Announce = Callable[[float], None]
"""Is told how much of a re-ranking is done, a fraction."""

_DESCRIPTOR_COPIES = 4


def no_announcement(done: float) -> None:
    """Tells nobody."""


def reranked_blocks(
    query: Descriptors,
    gallery: Descriptors,
    parameters: Reranking,
    announce: Announce = no_announcement,
) -> Iterator[np.ndarray]:
    """Re-ranks the gallery by cosine distance.

    Junk, which no protocol ranks, is nobody's neighbour.

    Args:
      query: descriptors of the queries, which are each other's neighbours too.
      gallery: descriptors of the gallery images.
      parameters: of the re-ranking.
      announce: called after each block of distances.

    Yields:
      `[block, gallery]` floats as `tfreid.retrieval.evaluate` takes them, infinite for junk.
    """
    valid = gallery.identities.person != JUNK_PERSON_ID
    queries = len(query.features)
    distances = CosineDistances(query.features, gallery.features[valid])
    watched = _Watched(distances, queries + valid.sum() + queries, announce)
    for block in rerank(watched, queries, parameters):
        final = np.full((len(block), len(valid)), np.inf)
        final[:, valid] = block
        yield final


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


def available_bytes() -> int:
    """Returns the memory that a process can still get on this machine or in its container."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            free = 1024 * int(line.split()[1])
    group = Path("/sys/fs/cgroup")
    limit, used = (_lines(group / name) for name in ("memory.max", "memory.current"))
    if limit and used and limit[0].isdigit():
        # Cached files count as used, but are given back.
        stat = dict(line.split() for line in _lines(group / "memory.stat"))
        free = min(free, int(limit[0]) - int(used[0]) + int(stat.get("inactive_file", 0)))
    return free


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
