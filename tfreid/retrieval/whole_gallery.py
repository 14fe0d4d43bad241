"""Scores of queries whose matches are ranked among the whole gallery.

No row is sorted: a true match's rank is the number of images of other persons that are as near,
found by counting, plus its place among the true matches. The images of other persons come first
at the same distance, which makes ties count against the model.
"""

import numpy as np

from tfreid.retrieval.identities import Identities, PersonIndex
from tfreid.retrieval.outcomes import Retrieval

AVERAGE_PRECISIONS = ("mean", "trapezoid")


class WholeGallery:
    """Ranks every valid image for every query."""

    def __init__(self, gallery: Identities, camera_filter: bool, average_precision: str):
        """Starts without queries.

        Args:
          gallery: identities of the gallery images, none of them junk.
          camera_filter: as in `Protocol`.
          average_precision: one of `AVERAGE_PRECISIONS`.
        """
        self._images = len(gallery)
        self._index = PersonIndex(gallery, camera_filter)
        self._definition = average_precision
        self._ranks: list[np.ndarray] = []
        self._chance: list[float] = []

    def add(self, distances: np.ndarray, person: int, camera: int) -> None:
        """Scores the next query.

        Args:
          distances: `[gallery]` floats.
          person: the query's person ID.
          camera: the query's camera ID.
        """
        same, true = self._index.find(person, camera)
        ranks = _match_ranks(distances, distances[same], true)
        self._ranks.append(ranks)
        self._chance.append(len(ranks) / max(self._images - len(same) + len(ranks), 1))

    def retrieval(self) -> Retrieval:
        """Returns how the queries fared."""
        matches = np.array([len(ranks) for ranks in self._ranks], np.int64)
        scored = matches > 0
        starts = np.cumsum(matches[scored]) - matches[scored]
        ranks = np.concatenate([*self._ranks, np.empty(0, np.int64)])
        found = 1 + np.arange(len(ranks)) - np.repeat(starts, matches[scored])
        precision = _precision(ranks, found, self._definition)
        retrieval = Retrieval.unscored(len(matches))
        retrieval.matches[:] = matches
        if scored.any():
            last = starts + matches[scored] - 1
            retrieval.first_match[scored] = ranks[starts]
            retrieval.average_precision[scored] = (
                np.add.reduceat(precision, starts) / matches[scored]
            )
            retrieval.inverse_negative_penalty[scored] = matches[scored] / ranks[last]
            retrieval.chance[scored] = np.array(self._chance)[scored]
        return retrieval


def _match_ranks(distances: np.ndarray, of_person: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Returns the ranks `[matches]` of the true matches, ascending, from 1."""
    matches = of_person[true]
    matches.sort()
    nearer = [np.count_nonzero(distances <= match) for match in matches]
    # What is at most as far includes the person's own images; the others are the wrong ones.
    of_person.sort()
    wrong = np.array(nearer, np.int64) - of_person.searchsorted(matches, side="right")
    return wrong + np.arange(1, len(matches) + 1)


def _precision(ranks: np.ndarray, found: np.ndarray, definition: str) -> np.ndarray:
    """Returns the precision `[n]` at ranks `[n]`, given the number of matches found by then."""
    precision = found / ranks
    if definition == "trapezoid":
        # Precision one rank earlier; the toolbox starts from 1 before the first rank.
        before = np.where(ranks > 1, (found - 1) / np.maximum(ranks - 1, 1), 1.0)
        precision = (before + precision) / 2
    return precision
