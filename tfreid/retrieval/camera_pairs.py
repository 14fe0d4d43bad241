"""How well the persons that one camera saw are found in another camera's images.

A pair is a camera of queries and a camera of gallery images. Its queries are ranked as by
`evaluate`, with that one camera's images as the whole gallery.
"""

from collections.abc import Callable, Iterable

import numpy as np

from tfreid.datasets.row import NO_CAMERA_ID
from tfreid.retrieval.ranking import DISTRACTOR, JUNK, Identities, Retrieval, evaluate

Distances = Callable[[np.ndarray, np.ndarray], Iterable[np.ndarray]]
"""Indices of queries and of gallery images -> the distances between them, in blocks as `evaluate`
takes them."""


def evaluate_camera_pairs(
    distances: Distances,
    query: Identities,
    gallery: Identities,
    *,
    camera_filter: bool = True,
    average_precision: str = "mean",
) -> dict[tuple[int, int], Retrieval]:
    """Ranks each camera's gallery images for the queries of each camera.

    Args:
      distances: of some queries to some gallery images; each pair of images is asked for at most
        once.
      query: identities of the queries.
      gallery: identities of the gallery images.
      camera_filter: as in `evaluate`; while it is on, a camera forms no pair with itself.
      average_precision: as in `evaluate`.

    Returns:
      Query camera and gallery camera, in ascending order, to the outcomes of the pair's queries
      that have a valid match there. Pairs without such a query are absent, and so are images
      whose camera is not known.

    Raises:
      ValueError: if the shapes disagree or a distance is not a number.
    """
    pairs = {}
    for camera in np.setdiff1d(gallery.camera, NO_CAMERA_ID):
        columns = np.flatnonzero(gallery.camera == camera)
        found_here = np.setdiff1d(gallery.person[columns], (JUNK, DISTRACTOR))
        matched = np.isin(query.person, found_here) & (query.camera != NO_CAMERA_ID)
        if camera_filter:
            matched &= query.camera != camera
        if not matched.any():
            continue
        rows = np.flatnonzero(matched)
        retrieval = evaluate(
            distances(rows, columns),
            query[rows],
            gallery[columns],
            camera_filter=camera_filter,
            average_precision=average_precision,
        )
        for other in np.unique(query.camera[rows]):
            pairs[int(other), int(camera)] = retrieval[query.camera[rows] == other]
    return dict(sorted(pairs.items()))
