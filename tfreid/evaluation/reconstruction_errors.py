"""What the nearest image explains of a query, position by position, and the other way round."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfreid.datasets import JUNK_PERSON_ID
from tfreid.evaluation.descriptors import Descriptors
from tfreid.retrieval import NO_IMAGE, RankedLists, reconstruction_errors


@dataclass(frozen=True)
class ReconstructedPairs:
    """Some queries and the nearest gallery image of each.

    Attributes:
      queries: `[n, height, width, 3]` uint8, as the model saw them.
      matches: the same of the nearest gallery images.
      correct: `[n]` bool: whether both show the same person.
      distances: `[n]` float32, by which it was the nearest.
      query_errors: `[n, height, width]` float32: error of the query's positions when they are
        reconstructed from the match (FPR, eq. 3), at each pixel the mean of the positions whose
        patch covers it.
      match_errors: the same of the match's positions, reconstructed from the query.
    """

    queries: np.ndarray
    matches: np.ndarray
    correct: np.ndarray
    distances: np.ndarray
    query_errors: np.ndarray
    match_errors: np.ndarray


def reconstruct_pairs(
    query: Descriptors,
    gallery: Descriptors,
    lists: RankedLists,
    shown: np.ndarray,
    images: np.ndarray,
    load: Callable[[np.ndarray], np.ndarray],
    patches: np.ndarray,
    beta: float,
) -> ReconstructedPairs:
    """Compares queries with the gallery image that is nearest to each.

    Args:
      query: the queries, with position features.
      gallery: the gallery images, with position features of those that are not junk.
      lists: what each query found.
      shown: `[m]` the queries to compare; those that found nothing are left out.
      images: `[m, height, width, 3]` uint8 of these.
      load: gives such images of the gallery, by their indices.
      patches: int `[N, 4]`: top, left, bottom, right of each position's patch, in pixels.
      beta: of the reconstruction.
    """
    found = lists.indices[shown, 0] != NO_IMAGE
    shown = shown[found]
    nearest = lists.indices[shown, 0]
    places = np.cumsum(gallery.identities.person != JUNK_PERSON_ID) - 1
    maps = []
    for asked, match in zip(shown, places[nearest], strict=True):
        pair = query.positions[[asked]].positions, gallery.positions[[match]].positions
        for one, other in (pair, pair[::-1]):
            errors = reconstruction_errors(one, other, beta)
            maps.append(error_map(errors, patches, images.shape[1:3]))
    stacked = np.array(maps, np.float32).reshape(len(shown), 2, *images.shape[1:3])
    return ReconstructedPairs(
        queries=images[found],
        matches=load(nearest),
        correct=lists.correct[shown, 0],
        distances=lists.distances[shown, 0],
        query_errors=stacked[:, 0],
        match_errors=stacked[:, 1],
    )


def error_map(errors: np.ndarray, patches: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Averages over each pixel the errors of the positions that cover it.

    Args:
      errors: `[N]` floats.
      patches: int `[N, 4]`: top, left, bottom, right in pixels, the latter two exclusive.
      size_px: height, width of the image.

    Returns:
      `[height, width]` float64; pixels that no position covers have the mean of all errors.
    """
    total, count = np.zeros(size_px), np.zeros(size_px)
    for error, (top, left, bottom, right) in zip(errors, patches, strict=True):
        total[top:bottom, left:right] += error
        count[top:bottom, left:right] += 1
    return np.where(count, total / np.maximum(count, 1), np.mean(errors))
