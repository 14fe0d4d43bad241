"""Scores of a query whose matches are ranked among the whole gallery.

No row is sorted: a true match's rank is the number of images of other persons that are as near,
found by counting, plus its place among the true matches. The images of other persons come first
at the same distance, which makes ties count against the model.
"""

import numpy as np

from tfreid.retrieval.identities import Identities, PersonIndex
from tfreid.retrieval.outcomes import Outcome

AVERAGE_PRECISIONS = ("mean", "trapezoid")


class WholeGallery:
    """A gallery in which every valid image is ranked for every query."""

    def __init__(self, gallery: Identities, camera_filter: bool, average_precision: str):
        """Keeps what every query needs.

        Args:
          gallery: identities of the gallery images, none of them junk.
          camera_filter: as in `Protocol`.
          average_precision: one of `AVERAGE_PRECISIONS`.
        """
        self._images = len(gallery)
        self._index = PersonIndex(gallery, camera_filter)
        self._definition = average_precision

    def score(self, distances: np.ndarray, person: int, camera: int) -> Outcome | None:
        """Scores one query.

        Args:
          distances: `[gallery]` floats.
          person: the query's person ID.
          camera: the query's camera ID.

        Returns:
          How it fared, or None if it has no valid match.
        """
        same, true = self._index.find(person, camera)
        if not true.any():
            return None
        ranks = _match_ranks(distances, distances[same], true)
        matches = len(ranks)
        return Outcome(
            first_match=ranks[0],
            average_precision=_average_precision(ranks, self._definition),
            inverse_negative_penalty=matches / ranks[-1],
            matches=matches,
            chance=matches / (self._images - len(same) + matches),
        )


def _match_ranks(distances: np.ndarray, of_person: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Returns the ranks `[matches]` of the true matches, ascending, from 1."""
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
