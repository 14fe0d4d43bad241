"""Ranked lists: the nearest gallery images of each query."""

from dataclasses import dataclass

import numpy as np

from tfreid.retrieval.identities import Identities, PersonIndex

NO_IMAGE = -1
"""Index in a list that is longer than the gallery has valid images."""

_GROUP = 32
"""Images of which only the nearest takes part in the first look."""


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


class Lister:
    """Finds the nearest valid images of every query without sorting its row."""

    def __init__(self, queries: int, length: int, gallery: Identities, camera_filter: bool):
        """Starts without queries.

        Args:
          queries: number of queries to come.
          length: images in a list.
          gallery: identities of the gallery images, none of them junk.
          camera_filter: as in `Protocol`.
        """
        self._index = PersonIndex(gallery, camera_filter)
        self._length = length
        self._queries = 0
        shape = (queries, length)
        self._columns = np.full(shape, NO_IMAGE, np.int64)
        self._distances = np.full(shape, np.nan, np.float32)
        self._correct = np.zeros(shape, bool)

    def add(self, distances: np.ndarray, person: int, camera: int) -> None:
        """Lists the nearest images of the next query.

        At the same distance wrong ones come first, and otherwise the first in the gallery.

        Args:
          distances: `[gallery]` floats.
          person: the query's person ID.
          camera: the query's camera ID.
        """
        same, true = self._index.find(person, camera)
        near = _nearest_columns(distances, self._length + len(same) - np.count_nonzero(true))
        valid, correct = self._index.judge(near, person, camera)
        near, correct = near[valid], correct[valid]
        order = np.lexsort((correct, distances[near]))[: self._length]
        near, row = near[order], self._queries
        self._columns[row, : len(near)] = near
        self._distances[row, : len(near)] = distances[near]
        self._correct[row, : len(near)] = correct[order]
        self._queries += 1

    def lists(self, indices: np.ndarray) -> RankedLists:
        """Returns the lists.

        Args:
          indices: `[gallery]` integers, what to call the images.
        """
        # The last entry is what `NO_IMAGE`, as an index, finds.
        names = np.append(indices, NO_IMAGE)
        return RankedLists(names[self._columns], self._distances, self._correct)


def _nearest_columns(distances: np.ndarray, count: int) -> np.ndarray:
    """Returns columns among which are those of the `count` smallest distances, and all ties."""
    groups = len(distances) // _GROUP
    if count > groups:
        return np.arange(len(distances))
    # `count` groups have an image within this limit, so no fewer images are.
    smallest = distances[: groups * _GROUP].reshape(_GROUP, groups).min(axis=0)
    limit = np.partition(smallest, count - 1)[count - 1]
    return np.flatnonzero(distances <= limit)
