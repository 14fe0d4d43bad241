"""Ranked lists and camera pairs one by one, until the audit takes them from `evaluate`."""

from collections.abc import Callable, Iterable

import numpy as np

from tfreid.datasets.protocols import PROTOCOLS
from tfreid.datasets.row import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID, NO_CAMERA_ID
from tfreid.retrieval.identities import Identities
from tfreid.retrieval.outcomes import Retrieval
from tfreid.retrieval.ranking import evaluate

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
        found_here = np.setdiff1d(gallery.person[columns], (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID))
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
            protocol=PROTOCOLS["market" if camera_filter else "no_camera"],
            average_precision=average_precision,
        ).retrieval
        for other in np.unique(query.camera[rows]):
            pairs[int(other), int(camera)] = retrieval[query.camera[rows] == other]
    return dict(sorted(pairs.items()))


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
    true = (gallery.person == person) & (person not in (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID))
    valid = gallery.person != JUNK_PERSON_ID
    if camera_filter:
        valid &= ~(true & (gallery.camera == camera))
    columns = np.flatnonzero(valid)
    if length < len(columns):
        # Only what is as near as the last place can be in the list; all that tie for it stay.
        limit = np.partition(distances[columns], length - 1)[length - 1]
        columns = columns[distances[columns] <= limit]
    nearest = columns[np.lexsort((true[columns], distances[columns]))][:length]
    return nearest, true[nearest]
