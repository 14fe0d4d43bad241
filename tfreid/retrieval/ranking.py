"""Ranks a gallery for every query and scores the rankings, in one pass over the distances.

For each query, gallery images of the same person from the same camera are left out unless the
protocol has no camera filter; images of person -1 (junk) are left out for everyone; person 0
(distractor) stays in the gallery and matches nobody. A query without a valid match is not scored,
and is counted.

Ties are broken against the model: of images at the same distance, those of other persons come
first. So a score does not depend on the order of the gallery, and a model that gives every image
the same descriptor scores worst rather than by luck.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tfreid.datasets.protocols import PROTOCOLS, Protocol
from tfreid.datasets.row import JUNK_PERSON_ID
from tfreid.errors import UsageError
from tfreid.retrieval.camera_pairs import by_pair, camera_columns
from tfreid.retrieval.identities import Identities
from tfreid.retrieval.lists import Lister, RankedLists
from tfreid.retrieval.outcomes import Retrieval
from tfreid.retrieval.single_shot import SingleShot
from tfreid.retrieval.whole_gallery import AVERAGE_PRECISIONS, WholeGallery


@dataclass(frozen=True)
class Ranking:
    """What one pass over the distances gave.

    Attributes:
      retrieval: how each query fared.
      lists: the nearest gallery images of each query; None where no lists were asked for.
      camera_pairs: query camera and gallery camera to how the pair's queries fared; empty where
        that was not asked for or cameras are not known.
    """

    retrieval: Retrieval
    lists: RankedLists | None
    camera_pairs: dict[tuple[int, int], Retrieval]


def evaluate(
    blocks: Iterable[np.ndarray],
    query: Identities,
    gallery: Identities,
    *,
    protocol: Protocol = PROTOCOLS["market"],
    average_precision: str = "mean",
    seed: int = 0,
    list_length: int = 0,
    camera_pairs: bool = False,
) -> Ranking:
    """Ranks the gallery for every query.

    Args:
      blocks: float arrays `[block, gallery]` that follow each other in the order of the queries,
        as from `cosine_blocks`; a whole distance matrix is `[matrix]`. No more than one is held.
      query: identities of the queries.
      gallery: identities of the gallery images.
      protocol: which gallery images a query is compared with.
      average_precision: `"mean"`, the mean of the precision at each true match's rank, or
        `"trapezoid"`, the slightly different average of the Market-1501 MATLAB toolbox.
      seed: of the gallery draws, where the protocol has any.
      list_length: gallery images in each query's ranked list; 0 makes no lists. Lists are of all
        valid images, also where the protocol draws.
      camera_pairs: also rank the gallery images of each camera for the queries of each camera.

    Returns:
      The outcome of each query, and what else was asked for.

    Raises:
      ValueError: if the shapes disagree or a distance is not a number.
      UsageError: if no query has a valid match.
    """
    if average_precision not in AVERAGE_PRECISIONS:
        raise ValueError(f"average_precision is {average_precision!r}; use {AVERAGE_PRECISIONS}")
    definition = _Definition(protocol, average_precision, seed)
    evaluation = _Evaluation(query, gallery, definition, list_length, camera_pairs)
    row = 0
    for block in blocks:
        evaluation.add(row, _checked(block, len(query) - row, len(gallery)))
        row += len(block)
        del block  # before the next one is made
    if row != len(query):
        raise ValueError(f"the distances cover {row} queries; expected {len(query)}")
    return evaluation.ranking()


@dataclass(frozen=True)
class _Definition:
    """What a score is."""

    protocol: Protocol
    average_precision: str
    seed: int

    def scorer(self, gallery: Identities) -> WholeGallery | SingleShot:
        camera_filter, draws = self.protocol.camera_filter, self.protocol.gallery_draws
        if draws:
            return SingleShot(gallery, camera_filter, draws, self.seed)
        return WholeGallery(gallery, camera_filter, self.average_precision)


class _Evaluation:
    """What was asked for, and what is known of it so far."""

    def __init__(
        self,
        query: Identities,
        gallery: Identities,
        definition: _Definition,
        list_length: int,
        camera_pairs: bool,
    ):
        self._query = query
        self._asked = list(zip(query.person.tolist(), query.camera.tolist(), strict=True))
        self._columns = np.flatnonzero(gallery.person != JUNK_PERSON_ID)
        valid = gallery[self._columns]
        cameras = camera_columns(valid.camera) if camera_pairs else {}
        self._whole = definition.scorer(valid)
        self._by_camera = {
            camera: (columns, definition.scorer(valid[columns]))
            for camera, columns in cameras.items()
        }
        self._lister = None
        if list_length:
            camera_filter = definition.protocol.camera_filter
            self._lister = Lister(len(query), list_length, valid, camera_filter)

    def add(self, first_row: int, block: np.ndarray) -> None:
        """Takes the distances `[block, gallery]` of the next queries."""
        without_junk = len(self._columns) == block.shape[1]
        for row, distances in enumerate(block, start=first_row):
            asked = self._asked[row]
            valid = distances if without_junk else distances[self._columns]
            self._whole.add(valid, *asked)
            for columns, scorer in self._by_camera.values():
                scorer.add(valid[columns], *asked)
            if self._lister:
                self._lister.add(valid, *asked)

    def ranking(self) -> Ranking:
        """Returns the outcome, after all queries."""
        retrieval = self._whole.retrieval()
        if not retrieval.scored.any():
            raise UsageError(
                "no query has a valid match in the gallery: no person is seen there by another "
                "camera (for data without cameras, there is protocol=no_camera)"
            )
        lists = None
        if self._lister:
            lists = self._lister.lists(self._columns)
        found = {camera: scorer.retrieval() for camera, (_, scorer) in self._by_camera.items()}
        return Ranking(retrieval, lists, by_pair(found, self._query))


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
