"""Ranked lists: the nearest gallery images of each query."""

from dataclasses import dataclass

import numpy as np

from tfreid.retrieval.identities import Identities, PersonIndex

NO_IMAGE = -1
"""Index in a list that is longer than the gallery has valid images."""


@dataclass(frozen=True)
class RankedLists:
    """The nearest valid gallery images of each query, ties broken as in the scores.

    Attributes:
      indices: `[queries, length]` int64, indices into the gallery; `NO_IMAGE` after its last.
      distances: `[queries, length]` float32; not a number after the last.
      correct: `[queries, length]` bool: true matches.
    """

    indices: np.ndarray
    distances: np.ndarray
    correct: np.ndarray

    @classmethod
    def empty(cls, queries: int, length: int) -> "RankedLists":
        """Returns lists without images."""
        shape = (queries, length)
        return cls(
            np.full(shape, NO_IMAGE, np.int64),
            np.full(shape, np.nan, np.float32),
            np.zeros(shape, bool),
        )

    @property
    def length(self) -> int:
        """Images in a list."""
        return self.indices.shape[1]

    def record(self, query: int, indices: np.ndarray, distances: np.ndarray, correct: np.ndarray):
        """Writes down one query's list.

        Args:
          query: index of the query.
          indices: `[<= length]` indices into the gallery.
          distances: `[<= length]` floats.
          correct: `[<= length]` bool.
        """
        self.indices[query, : len(indices)] = indices
        self.distances[query, : len(indices)] = distances
        self.correct[query, : len(indices)] = correct


class Lister:
    """Finds the nearest valid images of a query without sorting its row."""

    def __init__(self, gallery: Identities, camera_filter: bool, indices: np.ndarray):
        """Keeps what every query needs.

        Args:
          gallery: identities of the gallery images, none of them junk.
          camera_filter: as in `Protocol`.
          indices: `[gallery]` integers, what to call these images; the smallest comes first where
            nothing else decides.
        """
        self._index = PersonIndex(gallery, camera_filter)
        self._indices = indices

    def nearest(
        self, distances: np.ndarray, person: int, camera: int, length: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lists the nearest images of one query; at the same distance wrong ones come first.

        Args:
          distances: `[gallery]` floats.
          person: the query's person ID.
          camera: the query's camera ID.
          length: images to return.

        Returns:
          Indices, distances and whether each is a true match: three arrays `[<= length]`.
        """
        same, true = self._index.find(person, camera)
        near = _nearest_columns(distances, length + np.count_nonzero(~true))
        near = near[~np.isin(near, same[~true])]
        correct = np.isin(near, same[true])
        order = np.lexsort((self._indices[near], correct, distances[near]))[:length]
        near = near[order]
        return self._indices[near], distances[near], correct[order]


def _nearest_columns(distances: np.ndarray, count: int) -> np.ndarray:
    """Returns the columns of the `count` smallest distances and of all that tie for the last."""
    if count >= len(distances):
        return np.arange(len(distances))
    limit = np.partition(distances, count - 1)[count - 1]
    return np.flatnonzero(distances <= limit)
