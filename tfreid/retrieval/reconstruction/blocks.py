"""Matching by reconstruction: distances of queries from gallery images, FPR, eq. 5.

What depends on the gallery alone is computed once for each of its images
(`equations`), so that a pair takes one product of matrices (`products`). The gallery is taken in
blocks, as large as the memory budget allows (`memory`); all queries go past each. What is finished
may be kept in a folder (`checkpoint`), from which a run that was stopped goes on.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfreid.retrieval.reconstruction.checkpoint import Parts, fingerprint
from tfreid.retrieval.reconstruction.job import Announce, Estimate, MatchingJob, no_announcement
from tfreid.retrieval.reconstruction.matching import ReconstructionMatching
from tfreid.retrieval.reconstruction.positions import PositionFeatures


def reconstruction_blocks(
    query: PositionFeatures,
    gallery: PositionFeatures,
    matching: ReconstructionMatching | None = None,
    *,
    folder: str | Path | None = None,
    announce: Announce = no_announcement,
) -> Iterator[np.ndarray]:
    """Yields the distances of queries from gallery images, after all are computed.

    They are within 1e-4 of FPR's equations in float64 for positions of unit length, in any number;
    float16 positions are taken as the values that they are. Neither the memory budget nor the
    number of threads nor a stop in between changes a bit of them (with the exceptions that
    `tfreid.retrieval.distances` names).

    Args:
      query: the queries, the probes of the paper.
      gallery: the gallery images.
      matching: how to match, by default exactly.
      folder: keeps what is finished: a run that was stopped goes on where it was. What belongs to
        other features or parameters is not touched; the folder may be removed afterwards.
      announce: called with the fraction that is done.

    Yields:
      `[block, gallery]` float32, in the order of the queries, as `tfreid.retrieval.evaluate`
      takes them.

    Raises:
      UsageError: if the memory budget is too small, or the memory of this machine for it.
      ValueError: if the features do not fit each other, or a value is not finite.
    """
    matching = matching or ReconstructionMatching()
    job = MatchingJob(query, gallery, matching)
    parts = _parts(query, gallery, matching, folder)
    job.complete(parts, slice(0, len(gallery)), announce)
    yield from job.pairs.rows(parts.all())


def estimate(
    query: PositionFeatures,
    gallery: PositionFeatures,
    matching: ReconstructionMatching | None = None,
    *,
    folder: str | Path | None = None,
) -> Estimate:
    """Estimates time and memory of `reconstruction_blocks` by matching a few images.

    Args:
      query: the queries.
      gallery: the gallery images.
      matching: how to match, by default exactly.
      folder: as will be given there; what is finished in it is not counted.

    Raises:
      UsageError: if the memory budget is too small, or the memory of this machine for it.
      ValueError: if the features do not fit each other, or one of these images is not finite.
    """
    matching = matching or ReconstructionMatching()
    job = MatchingJob(query, gallery, matching)
    return job.estimate(_parts(query, gallery, matching, folder))


def _parts(
    query: PositionFeatures,
    gallery: PositionFeatures,
    matching: ReconstructionMatching,
    folder: str | Path | None,
) -> Parts:
    if folder is None:
        return Parts(None)
    return Parts(Path(folder), fingerprint(query, gallery, matching))
