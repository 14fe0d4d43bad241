"""CMC and mean average precision by the single-query protocol of Market-1501.

For each query, gallery images of the same person from the same camera are left out; images of
person -1 (junk) are left out for everyone; person 0 (distractor) stays in the gallery and matches
nobody. A query without a valid match is not scored, and is counted.

Ties are broken against the model: of images at the same distance, those of other persons come
first. So a score does not depend on the order of the gallery, and a model that gives every image
the same descriptor scores worst rather than by luck.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tfreid.errors import UsageError

JUNK, DISTRACTOR = -1, 0
RANKS = (1, 5, 10, 20)
AVERAGE_PRECISIONS = ("mean", "trapezoid")


@dataclass(frozen=True)
class Identities:
    """Who is on each image and which camera took it.

    Attributes:
      person: `[n]` integers, person IDs as published.
      camera: `[n]` integers, camera IDs.
    """

    person: np.ndarray
    camera: np.ndarray

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self.person)

    def __getitem__(self, chosen: np.ndarray) -> "Identities":
        """Returns those of some images, by their indices or by a mask."""
        return Identities(self.person[chosen], self.camera[chosen])


@dataclass(frozen=True)
class Retrieval:
    """How each query fared.

    Attributes:
      first_match: `[queries]` int64, rank of the nearest true match, from 1; 0 where the query
        has no valid match.
      average_precision: `[queries]` float64; not a number where the query has no valid match.
      chance: `[queries]` float64, probability that a random ranking begins with a true match.
    """

    first_match: np.ndarray
    average_precision: np.ndarray
    chance: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> "Retrieval":
        """Returns the outcomes of some queries, by their indices or by a mask."""
        return Retrieval(
            self.first_match[chosen], self.average_precision[chosen], self.chance[chosen]
        )

    @property
    def scored(self) -> np.ndarray:
        """`[queries]` bool: the queries that have a valid match."""
        return self.first_match > 0

    @property
    def mean_average_precision(self) -> float:
        """Mean of the average precision over the scored queries, a fraction."""
        return float(self.average_precision[self.scored].mean())

    @property
    def chance_rank1(self) -> float:
        """Expected rank-1 of a random ranking under the same protocol, a fraction."""
        return float(self.chance[self.scored].mean())

    def cmc(self, max_rank: int) -> np.ndarray:
        """Cumulative match characteristic.

        Args:
          max_rank: length of the curve.

        Returns:
          `[max_rank]` float64: the fraction of scored queries with a match at rank <= 1, 2, ...
        """
        first = self.first_match[self.scored]
        return (first[:, None] <= np.arange(1, max_rank + 1)).mean(axis=0)

    def metrics(self) -> dict[str, float]:
        """Returns `rank1`, `rank5`, `rank10`, `rank20` and `mAP`, as fractions."""
        curve = self.cmc(max(RANKS))
        ranks = {f"rank{rank}": float(curve[rank - 1]) for rank in RANKS}
        return {**ranks, "mAP": self.mean_average_precision}


def evaluate(
    blocks: Iterable[np.ndarray],
    query: Identities,
    gallery: Identities,
    *,
    camera_filter: bool = True,
    average_precision: str = "mean",
) -> Retrieval:
    """Ranks the gallery for every query.

    No row is sorted: a true match's rank is the number of nearer images of other persons, found
    by counting, plus the number of true matches up to it.

    Args:
      blocks: float arrays `[block, gallery]` that follow each other in the order of the queries,
        as from `cosine_blocks`; a whole distance matrix is `[matrix]`.
      query: identities of the queries.
      gallery: identities of the gallery images.
      camera_filter: leave out gallery images of the query's person from the query's camera;
        False for data without cameras.
      average_precision: `"mean"`, the mean of the precision at each true match's rank, or
        `"trapezoid"`, the slightly different average of the Market-1501 MATLAB toolbox.

    Returns:
      The outcome of each query.

    Raises:
      ValueError: if the shapes disagree or a distance is not a number.
      UsageError: if no query has a valid match.
    """
    if average_precision not in AVERAGE_PRECISIONS:
        raise ValueError(f"average_precision is {average_precision!r}; use {AVERAGE_PRECISIONS}")
    kept = np.flatnonzero(gallery.person != JUNK)
    index = _PersonIndex(gallery.person[kept], gallery.camera[kept])
    first, precision, chance = (np.full(len(query), value) for value in (0, np.nan, np.nan))
    row = 0
    for block in blocks:
        for distances in _checked(block, len(query) - row, len(gallery)):
            person, camera = query.person[row], query.camera[row]
            same, true = index.find(person, camera, camera_filter)
            if true.any():
                ranks = _match_ranks(distances[kept], same, true)
                first[row] = ranks[0]
                precision[row] = _average_precision(ranks, average_precision)
                chance[row] = len(ranks) / (len(kept) - len(same) + len(ranks))
            row += 1
    if row != len(query):
        raise ValueError(f"the distances cover {row} queries; expected {len(query)}")
    if not first.any():
        raise UsageError(
            "no query has a valid match in the gallery: no person is seen there by another camera "
            "(for data without cameras, switch the camera filter off)"
        )
    return Retrieval(first, precision, chance)


def ranked_list(
    distances: np.ndarray,
    person: int,
    camera: int,
    gallery: Identities,
    *,
    length: int,
    camera_filter: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest valid gallery images of one query, ties broken as in `evaluate`.

    Args:
      distances: `[gallery]` floats.
      person: the query's person ID.
      camera: the query's camera ID.
      gallery: identities of the gallery images.
      length: images to return.
      camera_filter: as in `evaluate`.

    Returns:
      Indices into the gallery and whether each is a true match: two arrays `[<= length]`.
    """
    true = (gallery.person == person) & (person not in (JUNK, DISTRACTOR))
    valid = gallery.person != JUNK
    if camera_filter:
        valid &= ~(true & (gallery.camera == camera))
    columns = np.flatnonzero(valid)
    if length < len(columns):
        # Only what is as near as the last place can be in the list; all that tie for it stay.
        limit = np.partition(distances[columns], length - 1)[length - 1]
        columns = columns[distances[columns] <= limit]
    nearest = columns[np.lexsort((true[columns], distances[columns]))][:length]
    return nearest, true[nearest]


class _PersonIndex:
    """Finds the gallery images of a person without comparing every query with every image."""

    def __init__(self, person: np.ndarray, camera: np.ndarray):
        self._camera = camera
        self._order = np.argsort(person, kind="stable")
        self._sorted = person[self._order]

    def find(self, person: int, camera: int, camera_filter: bool) -> tuple[np.ndarray, np.ndarray]:
        """Returns columns `[same]` of the person, and which of them are true matches."""
        start, end = np.searchsorted(self._sorted, (person, person + 1))
        same = self._order[start:end] if person not in (JUNK, DISTRACTOR) else self._order[:0]
        other_camera = self._camera[same] != camera
        return same, other_camera if camera_filter else np.ones(len(same), bool)


def _checked(block: np.ndarray, queries_left: int, gallery: int) -> np.ndarray:
    block = np.asarray(block)
    if block.ndim != 2 or len(block) > queries_left or block.shape[1] != gallery:
        raise ValueError(
            f"a block of distances has shape {block.shape}; "
            f"expected at most {queries_left} queries by {gallery} gallery images"
        )
    if block.size and np.isnan(block.min()):
        raise ValueError("a distance is not a number: the descriptors are not finite")
    return block


def _match_ranks(distances: np.ndarray, same: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Returns the ranks `[matches]` of the true matches, ascending, from 1."""
    of_person = distances[same]
    matches = np.sort(of_person[true])
    nearer = np.array([np.count_nonzero(distances <= match) for match in matches])
    # What is at most as far includes the person's own images; the others are the wrong ones.
    wrong = nearer - np.searchsorted(np.sort(of_person), matches, side="right")
    return wrong + np.arange(1, len(matches) + 1)


def _average_precision(ranks: np.ndarray, definition: str) -> float:
    found = np.arange(1, len(ranks) + 1)
    precision = found / ranks
    if definition == "trapezoid":
        # Precision one rank earlier; the toolbox starts from 1 before the first rank.
        before = np.where(ranks > 1, (found - 1) / np.maximum(ranks - 1, 1), 1.0)
        precision = (before + precision) / 2
    return float(precision.mean())
