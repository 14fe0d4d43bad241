"""Carries out matching by reconstruction, a block of the gallery at a time."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tfreid.retrieval.blas import one_thread_a_product
from tfreid.retrieval.reconstruction.checkpoint import Parts
from tfreid.retrieval.reconstruction.matching import ReconstructionMatching
from tfreid.retrieval.reconstruction.memory import MemoryPlan, plan_memory
from tfreid.retrieval.reconstruction.pairs import AllPairs, Pairs, Shortlist
from tfreid.retrieval.reconstruction.positions import PositionFeatures
from tfreid.retrieval.reconstruction.products import GalleryBlock, Probes

Announce = Callable[[float], None]
"""Is told how much of the matching is done, a fraction."""


def no_announcement(done: float) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Estimate:
    """What matching would take.

    Attributes:
      pairs: of a query and a gallery image, still to be reconstructed.
      seconds: for as long as the machine is as busy as now.
      bytes: memory held at the peak, features that are not in mapped files included.
    """

    pairs: int
    seconds: float
    bytes: int


class MatchingJob:
    """Queries, gallery images and the pairs of them that are compared."""

    def __init__(
        self,
        query: PositionFeatures,
        gallery: PositionFeatures,
        matching: ReconstructionMatching,
    ):
        """Finds the pairs.

        Raises:
          ValueError: if the features do not fit each other, or there are none.
        """
        if not len(query) or not len(gallery):
            raise ValueError(f"{len(query)} queries and {len(gallery)} gallery images to match")
        for what in ("positions", "pooled"):
            sizes = [getattr(images, what).shape[1] for images in (query, gallery)]
            if sizes[0] != sizes[1]:
                raise ValueError(
                    f"{what} have {sizes[0]} values in the queries and {sizes[1]} in the gallery"
                )
        self._query, self._gallery, self._matching = query, gallery, matching
        self.pairs: Pairs = (
            AllPairs(query, gallery)
            if matching.mode == "exact"
            else Shortlist(query, gallery.pooled, matching)
        )

    def complete(self, parts: Parts, images: slice, announce: Announce = no_announcement) -> None:
        """Computes what is missing of the distances from a stretch of the gallery.

        Args:
          parts: what is finished; gets what is computed.
          images: the stretch; it starts where a tile does.
          announce: called with the fraction of the stretch that is done.

        Raises:
          UsageError: if the memory budget is too small, or the memory of this machine for it.
          ValueError: if a value is not finite.
        """
        missing = parts.missing(images)
        done, total = self._count([images]) - self._count(missing), self._count([images])

        def advance(pairs: int) -> None:
            nonlocal done
            done += pairs
            announce(done / total)

        with one_thread_a_product() as threads:
            plan = self._plan(missing, threads, parts.in_folder)
            space = self._space(plan.positions)
            with ThreadPoolExecutor(plan.threads) as pool:
                for stretch in plan.blocks:
                    block = self._block(stretch, space)
                    parts.add(stretch, self.pairs.part(block, stretch, pool, advance))

    def estimate(self, parts: Parts) -> Estimate:
        """Estimates what it takes to complete the distances, by matching the first images.

        Args:
          parts: what is finished.

        Raises:
          UsageError: if the memory budget is too small, or the memory of this machine for it.
          ValueError: if a value of these images is not finite.
        """
        missing = parts.missing(slice(0, len(self._gallery)))
        count = self._count(missing)
        with one_thread_a_product() as threads:
            plan = self._plan(missing, threads, parts.in_folder)
            seconds_an_image, seconds_a_pair = self._calibrate() if count else (0, 0)
        images = sum(stretch.stop - stretch.start for stretch in missing)
        seconds = (images * seconds_an_image + count * seconds_a_pair) / plan.threads
        return Estimate(count, seconds, plan.bytes)

    def _calibrate(self) -> tuple[float, float]:
        """Returns the seconds that one thread takes for a gallery image, and for a pair."""
        queries, images = self.pairs.first_product()
        probes = Probes(self._query[queries], queries.start)
        positions = int(self._gallery.starts[images.stop])
        block = self._block(images, self._space(positions))
        with ThreadPoolExecutor(1) as pool:
            block.factorise(np.arange(len(block)), pool)
            factor = _seconds(lambda: block.factorise(np.zeros(1, int), pool))
        product = _seconds(lambda: block.distances(probes, slice(0, len(block))))
        mean_positions = self._query.counts.mean() * self._gallery.counts.mean()
        return factor, product / (len(probes.rows) * positions) * mean_positions

    def _plan(self, missing: Sequence[slice], threads: int, in_folder: bool) -> MemoryPlan:
        return plan_memory(
            self._query,
            self._gallery,
            self.pairs,
            missing,
            budget_bytes=self._matching.memory_budget_bytes,
            threads=threads,
            in_folder=in_folder,
        )

    def _space(self, positions: int) -> np.ndarray:
        return np.empty((positions, self._gallery.positions.shape[1]), np.float32)

    def _block(self, images: slice, space: np.ndarray) -> GalleryBlock:
        return GalleryBlock(self._gallery[images], images.start, self._matching.beta, space)

    def _count(self, stretches: Sequence[slice]) -> int:
        return sum(self.pairs.count(stretch) for stretch in stretches)


def _seconds(work: Callable[[], object]) -> float:
    """Returns how long some work takes, the shorter of two times."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)
