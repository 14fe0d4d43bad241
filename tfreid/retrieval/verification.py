"""Same person or not: the distance up to which two images are taken for one person's."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tfreid.datasets.row import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID
from tfreid.errors import UsageError
from tfreid.retrieval.identities import Identities


@dataclass(frozen=True)
class Threshold:
    """Where to draw the line, and what it costs.

    Attributes:
      distance: two images at most this far apart are taken for the same person's.
      far: the false-accept rate that was asked for.
      false_accept_rate: share of the impostor pairs that are accepted, at most `far`.
      genuine_accept_rate: share of the genuine pairs that are accepted; None without any.
      impostor_pairs: pairs of a query and a gallery image that show different persons.
      genuine_pairs: pairs that show the same person from different cameras.
    """

    distance: float
    far: float
    false_accept_rate: float
    genuine_accept_rate: float | None
    impostor_pairs: int
    genuine_pairs: int


def calibrate(
    blocks: Iterable[np.ndarray], query: Identities, gallery: Identities, far: float
) -> Threshold:
    """Finds the largest impostor distance at which the false-accept rate is not above `far`.

    Pairs with junk and pairs of two distractors count nowhere, since nobody knows whether they
    show one person; pairs of one person from one camera count nowhere, as in retrieval.

    Args:
      blocks: float arrays `[block, gallery]` that follow each other in the order of the queries,
        as from `cosine_blocks`; no more than one of them and the accepted pairs are held.
      query: identities of the queries.
      gallery: identities of the gallery images.
      far: share of the impostor pairs that may be accepted, above 0 and below 1.

    Returns:
      The threshold.

    Raises:
      UsageError: if there are too few impostor pairs to tell.
      ValueError: if the rate is out of range or the shapes disagree.
    """
    if not 0 < far < 1:
        raise ValueError(f"far is {far}; expected above 0 and below 1")
    pairs = _Pairs(query, gallery)
    total = sum(np.count_nonzero(pairs.impostors(row)) for row in range(len(query)))
    if not total or 1 / total > far:
        raise UsageError(
            f"a false-accept rate of {far:g} needs at least {1 / far:,.0f} pairs of different "
            f"persons, and the query and gallery images have {total:,}"
        )
    nearest, genuine = _sift(blocks, pairs, kept=int(far * total) + 2)
    distances, counts = np.unique(nearest, return_counts=True)
    rates = np.cumsum(counts) / total
    if rates[0] > far:
        raise UsageError(
            f"more than {far:g} of the pairs of different persons are at the smallest distance, "
            f"{distances[0]:g}: no threshold has that false-accept rate"
        )
    last = np.flatnonzero(rates <= far)[-1]
    accepted = np.count_nonzero(genuine <= distances[last])
    return Threshold(
        distance=float(distances[last]),
        far=far,
        false_accept_rate=float(rates[last]),
        genuine_accept_rate=accepted / len(genuine) if len(genuine) else None,
        impostor_pairs=int(total),
        genuine_pairs=len(genuine),
    )


@dataclass(frozen=True)
class _Pairs:
    """Which gallery images make which kind of pair with a query."""

    query: Identities
    gallery: Identities

    def impostors(self, row: int) -> np.ndarray:
        """`[gallery]` bool: the images of another person than query `row`."""
        person = self.query.person[row]
        return (
            (self.gallery.person != person)
            & (self.gallery.person != JUNK_PERSON_ID)
            & (person != JUNK_PERSON_ID)
        )

    def genuine(self, row: int) -> np.ndarray:
        """`[gallery]` bool: the images of query `row`'s person from other cameras."""
        person, camera = self.query.person[row], self.query.camera[row]
        known = person not in (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID)
        return (self.gallery.person == person) & (self.gallery.camera != camera) & known


def _sift(blocks: Iterable[np.ndarray], pairs: _Pairs, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the `kept` smallest distances of impostor pairs, and those of all genuine pairs."""
    nearest, genuine, row = np.empty(0, np.float32), [], 0
    for block in blocks:
        near = [nearest]
        for distances in block:
            near.append(distances[pairs.impostors(row)])
            genuine.append(distances[pairs.genuine(row)])
            row += 1
        nearest = np.concatenate(near)
        if len(nearest) > kept:
            nearest = np.partition(nearest, kept - 1)[:kept]
    if row != len(pairs.query):
        raise ValueError(f"the distances cover {row} queries; expected {len(pairs.query)}")
    return nearest, np.concatenate(genuine)
