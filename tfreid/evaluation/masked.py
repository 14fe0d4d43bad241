"""Rankings of those images that have masks, among all."""

from dataclasses import fields

import numpy as np

from tfreid.retrieval import NO_IMAGE, RankedLists, Ranking, Retrieval

WITH_MASKS = "original_with_masks"
"""What the original images with masks are called, where others have none."""


def in_place(ranking: Ranking, query: np.ndarray, gallery: np.ndarray, queries: int) -> Ranking:
    """Returns a ranking of some images with the places that these have among all.

    Args:
      ranking: of the images with masks.
      query: int `[m]`, places of its queries.
      gallery: int `[g]`, places of its gallery images.
      queries: number of all queries; the others have no valid match.
    """
    found = ranking.retrieval
    draws = found.first_match.shape[1] if found.first_match.ndim == 2 else 0
    retrieval = Retrieval.unscored(queries, draws)
    for field in fields(Retrieval):
        getattr(retrieval, field.name)[query] = getattr(found, field.name)
    lists = None
    if ranking.lists:
        shape = queries, ranking.lists.indices.shape[1]
        lists = RankedLists(
            np.full(shape, NO_IMAGE, np.int64),
            np.full(shape, np.nan, np.float32),
            np.zeros(shape, bool),
        )
        # The last entry is what `NO_IMAGE`, as an index, finds.
        lists.indices[query] = np.append(gallery, NO_IMAGE)[ranking.lists.indices]
        lists.distances[query] = ranking.lists.distances
        lists.correct[query] = ranking.lists.correct
    return Ranking(retrieval, lists, ranking.camera_pairs)
