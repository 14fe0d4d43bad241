"""Scores of queries in galleries that hold one image a person, drawn anew several times.

This is the single-shot protocol of VIPeR and of the first CUHK03 papers. Distractors are no person,
so none of them is left out.
"""

import numpy as np

from tfreid.retrieval.identities import Identities, PersonIndex
from tfreid.retrieval.outcomes import Retrieval


def draw_numbers(seed: int, draws: int, persons: int) -> np.ndarray:
    """Draws which image represents whom.

    Args:
      seed: the same seed draws the same.
      draws: number of draws.
      persons: number of persons in the gallery.

    Returns:
      `[draws, persons]` float64 in [0, 1). Number u stands for image `floor(u * n)` of those n
      images of a person that are valid for a query, in the order of the gallery; persons ascend.
    """
    return np.random.default_rng(seed).random((draws, persons))


class SingleShot:
    """A gallery of which each draw shows one image a person."""

    def __init__(self, gallery: Identities, camera_filter: bool, draws: int, seed: int):
        """Draws the images, and starts without queries.

        Args:
          gallery: identities of the gallery images, none of them junk.
          camera_filter: as in `Protocol`.
          draws: number of draws.
          seed: of the draws.
        """
        self._index = PersonIndex(gallery, camera_filter)
        persons = self._index.persons
        self._place = {person: place for place, person in enumerate(persons)}
        self._numbers = draw_numbers(seed, draws, len(persons))
        images = map(self._index.images, persons)
        drawn = [_drawn(*each) for each in zip(images, self._numbers.T, strict=True)]
        self._drawn = np.stack(drawn, axis=1) if drawn else np.empty((draws, 0), np.intp)
        self._matches: list[int] = []
        self._ranks: list[np.ndarray] = []

    def add(self, distances: np.ndarray, person: int, camera: int) -> None:
        """Scores the next query in all draws.

        Args:
          distances: `[gallery]` floats.
          person: the query's person ID.
          camera: the query's camera ID.
        """
        same, true = self._index.find(person, camera)
        valid = same[true]
        self._matches.append(len(valid))
        if not len(valid):
            return
        place = self._place[person]
        matches = distances[_drawn(valid, self._numbers[:, place])]
        nearer = distances[self._drawn] <= matches[:, None]
        # The person is represented by an image that is valid for this query instead.
        nearer[:, place] = False
        wrong = np.count_nonzero(nearer, axis=1) + self._nearer_distractors(distances, matches)
        self._ranks.append(1 + wrong)

    def retrieval(self) -> Retrieval:
        """Returns how the queries fared."""
        matches = np.array(self._matches, np.int64)
        scored = matches > 0
        retrieval = Retrieval.unscored(len(matches), len(self._numbers))
        retrieval.matches[:] = matches
        if scored.any():
            ranks = np.stack(self._ranks)
            retrieval.first_match[scored] = ranks
            retrieval.average_precision[scored] = (1 / ranks).mean(axis=1)
            retrieval.inverse_negative_penalty[scored] = (1 / ranks).mean(axis=1)
            shown = len(self._place) + len(self._index.distractors)
            retrieval.chance[scored] = 1 / shown
        return retrieval

    def _nearer_distractors(self, distances: np.ndarray, matches: np.ndarray) -> np.ndarray:
        far = distances[self._index.distractors]
        different, which = np.unique(matches, return_inverse=True)
        return np.array([np.count_nonzero(far <= match) for match in different])[which]


def _drawn(images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Returns the image `[draws]` that each number stands for."""
    return images[(numbers * len(images)).astype(np.intp)]
