"""Reconstruction distances among queries and gallery together, for re-ranking."""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfreid.retrieval.memory import mapped_file
from tfreid.retrieval.reconstruction.checkpoint import Parts, fingerprint
from tfreid.retrieval.reconstruction.job import Announce, MatchingJob, no_announcement
from tfreid.retrieval.reconstruction.matching import ReconstructionMatching
from tfreid.retrieval.reconstruction.positions import PositionFeatures, position_writer


class ReconstructionDistances:
    """How well each of N images, queries first, is reconstructed from each; for `rerank`.

    The distance of a pair is of its first image as the probe: it is not symmetric, and that of an
    image from itself is not quite 0. All `N * N` distances, or those of the shortlists among all
    images, are computed when they are first asked for, and kept in files.
    """

    def __init__(
        self,
        query: PositionFeatures,
        gallery: PositionFeatures,
        matching: ReconstructionMatching | None = None,
        *,
        folder: str | Path | None = None,
        announce: Announce = no_announcement,
    ):
        """Takes the features; nothing is computed yet.

        Args:
          query: the queries.
          gallery: the gallery images.
          matching: how to match, by default exactly.
          folder: keeps what is finished, as in `reconstruction_blocks`; by default a temporary
            folder. Features in mapped files are copied there, one after the other.
          announce: called with the fraction of the matching that is done.
        """
        self._query, self._gallery = query, gallery
        self._matching = matching or ReconstructionMatching()
        self._announce = announce
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="matching.")
        self._folder = Path(folder or self._temporary.name)

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields `[block, N]`; `Distances.blocks`."""
        job, parts = self._computed
        return job.pairs.rows(parts.all())

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns `[n]`; `Distances.pairs`."""
        distances = np.empty(len(rows), np.float32)
        first = 0
        for block in self.blocks():
            here = np.flatnonzero((first <= rows) & (rows < first + len(block)))
            distances[here] = block[rows[here] - first, columns[here]]
            first += len(block)
        return distances

    @functools.cached_property
    def _computed(self) -> tuple[MatchingJob, Parts]:
        name = fingerprint(self._query, self._gallery, self._matching)
        images = self._together(self._folder / f"{name}.images")
        job = MatchingJob(images, images, self._matching)
        # Not the name of the distances of the queries from the gallery.
        parts = Parts(self._folder, f"{name}.among")
        job.complete(parts, slice(0, len(images)), self._announce)
        return job, parts

    def _together(self, copy: Path) -> PositionFeatures:
        """Returns all images: in memory where theirs are, else in files."""
        both = [self._query, self._gallery]
        if all(mapped_file(images.positions) is None for images in both):
            return PositionFeatures.joined(both)
        if not copy.exists():
            with position_writer(copy, self._gallery.positions.dtype) as writer:
                for images in both:
                    writer.append(images)
        return PositionFeatures.open(copy)
