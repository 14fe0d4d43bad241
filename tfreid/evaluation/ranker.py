"""Ranks what an audit compares, plainly and re-ranked, and says how far it is."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from tfreid.datasets import JUNK_PERSON_ID
from tfreid.errors import UsageError
from tfreid.evaluation.descriptors import Descriptors
from tfreid.evaluation.masked import WITH_MASKS, in_place
from tfreid.evaluation.measurement import Measurement
from tfreid.evaluation.position_store import PositionStore
from tfreid.evaluation.sets import SPLITS, EvaluationSet
from tfreid.inputs import readable
from tfreid.progress import NoProgress, Progress, duration
from tfreid.retrieval import (
    CosineDistances,
    Distances,
    Ranking,
    ReconstructionDistances,
    ReconstructionMatching,
    Reranking,
    cosine_blocks,
    evaluate,
    reconstruction_blocks,
    rerank,
)
from tfreid.retrieval.memory import available_bytes
from tfreid.retrieval.reconstruction import estimate
from tfreid.retrieval.reranking import BLOCK_SIZE

_DESCRIPTOR_COPIES = 4

Announce = Callable[[float], None]
"""Is told how much of a computation is done, a fraction."""


class Ranker:
    """Ranks a data set's gallery for its queries."""

    def __init__(
        self,
        tested: EvaluationSet,
        measurement: Measurement,
        store: PositionStore | None,
        progress: Progress | NoProgress,
    ):
        """Takes what is compared, how, the files and who is told."""
        self._measurement, self._store = measurement, store
        self._tested, self._progress = tested, progress
        self._options = {
            "protocol": tested.protocol,
            "average_precision": measurement.average_precision,
            "seed": measurement.seed,
            "list_length": measurement.list_length,
        }

    def plainly(self, query: Descriptors, gallery: Descriptors, variant: str) -> Ranking:
        """Ranks by the distance that is measured."""
        matching = self._measurement.matching
        folder = self._folder(variant)
        if matching:
            self._tell_estimate(query, gallery, variant, folder)
        announce = self._announce(f"matching {readable(variant)}")
        blocks = plain_blocks(query, gallery, matching, folder, announce)
        ranking = self._rank(blocks, query, gallery, camera_pairs=variant == "original")
        if matching:
            self._progress.note("")
        return ranking

    def with_masks(self, query: Descriptors, gallery: Descriptors) -> Ranking:
        """Ranks those of the original images that have masks, as the variants are of these."""
        masked = self._tested.masked
        return self.plainly(query[masked["query"]], gallery[masked["gallery"]], WITH_MASKS)

    def again(self, query: Descriptors, gallery: Descriptors, variant: str) -> Ranking:
        """Ranks after re-ranking."""
        announce = self._announce(f"re-ranking {readable(variant)}")
        announce(0.0)
        blocks = reranked_blocks(query, gallery, self._measurement, self._folder(variant), announce)
        ranking = self._rank(blocks, query, gallery)
        self._progress.note("")
        return ranking

    def _rank(
        self,
        blocks: Iterator[np.ndarray],
        query: Descriptors,
        gallery: Descriptors,
        camera_pairs: bool = False,
    ) -> Ranking:
        identities = query.identities, gallery.identities
        ranking = evaluate(blocks, *identities, **self._options, camera_pairs=camera_pairs)
        counts = [len(self._tested.records[split]) for split in SPLITS]
        if [*map(len, identities)] == counts:
            return ranking
        return in_place(ranking, *(self._tested.masked[split] for split in SPLITS), counts[0])

    def _tell_estimate(
        self, query: Descriptors, gallery: Descriptors, variant: str, folder: Path
    ) -> None:
        matching = self._measurement.matching
        found = estimate(query.positions, gallery.positions, matching, folder=folder)
        text = (
            f"{self._tested.dataset}, {readable(variant)}: {found.pairs:,} pairs to "
            f"reconstruct, about {duration(found.seconds)}, {found.bytes / 2**30:.2f} GiB of memory"
        )
        if self._measurement.reranking:
            queries, images = len(query.positions), len(gallery.positions)
            times = (queries + images) / queries
            times *= (queries + images) / images if matching.mode == "exact" else 1
            text += f"; then {times:.1f} times as many for the re-ranking"
        self._progress.say(text)

    def _folder(self, variant: str) -> Path | None:
        return self._store.distances(variant) if self._store else None

    def _announce(self, what: str) -> Callable[[float], None]:
        return lambda done: self._progress.note(f"{what}: {done:.0%}")


def not_junk(gallery: Descriptors) -> np.ndarray:
    """Returns which gallery images a protocol ranks, `[n]` bool; only these are compared."""
    return gallery.identities.person != JUNK_PERSON_ID


def plain_blocks(
    query: Descriptors,
    gallery: Descriptors,
    matching: ReconstructionMatching | None,
    folder: Path | None,
    announce: Announce,
) -> Iterator[np.ndarray]:
    """Compares every query with the gallery.

    Args:
      query: descriptors of the queries.
      gallery: descriptors of the gallery images.
      matching: compares position features; None compares descriptors by cosine.
      folder: where reconstruction distances are kept, from which a stopped computation goes on.
      announce: told of the progress of a reconstruction.

    Yields:
      `[block, gallery]` floats as `tfreid.retrieval.evaluate` takes them.
    """
    if matching is None:
        yield from cosine_blocks(query.features, gallery.features)
        return
    blocks = reconstruction_blocks(
        query.positions, gallery.positions, matching, folder=folder, announce=announce
    )
    yield from with_junk(blocks, not_junk(gallery))


def all_distances(
    query: Descriptors,
    gallery: Descriptors,
    matching: ReconstructionMatching | None,
    folder: Path | None,
    announce: Announce,
) -> Distances:
    """Returns the distances among queries and gallery together, without junk.

    Args:
      query: descriptors of the queries.
      gallery: descriptors of the gallery images.
      matching: compares position features; None compares descriptors by cosine.
      folder: where reconstruction distances are kept.
      announce: told of the progress of a reconstruction.
    """
    if matching is None:
        return CosineDistances(query.features, gallery.features[not_junk(gallery)])
    return ReconstructionDistances(
        query.positions, gallery.positions, matching, folder=folder, announce=announce
    )


def with_junk(blocks: Iterable[np.ndarray], valid: np.ndarray) -> Iterator[np.ndarray]:
    """Puts junk at an infinite distance into blocks `[block, images that are not junk]`."""
    for block in blocks:
        whole = np.full((len(block), len(valid)), np.inf, block.dtype)
        whole[:, valid] = block
        yield whole


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
            "free some, choose a smaller k1 or k2, or leave re-ranking out"
        )
    return needed
