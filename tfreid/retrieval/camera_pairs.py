"""How well the persons that one camera saw are found in another camera's images.

A pair is a camera of queries and a camera of gallery images. Its queries are ranked as by
`evaluate`, with that one camera's images as the whole gallery.
"""

import numpy as np

from tfreid.datasets.row import NO_CAMERA_ID
from tfreid.retrieval.identities import Identities
from tfreid.retrieval.outcomes import Retrieval


def camera_columns(camera: np.ndarray) -> dict[int, np.ndarray]:
    """Finds where each camera's images are.

    Args:
      camera: `[gallery]` integers, camera IDs.

    Returns:
      Camera ID, where it is known, to the columns of its images.
    """
    known = np.setdiff1d(camera, NO_CAMERA_ID).tolist()
    return {one: np.flatnonzero(camera == one) for one in known}


def by_pair(
    by_gallery_camera: dict[int, Retrieval], query: Identities
) -> dict[tuple[int, int], Retrieval]:
    """Splits what the queries found in each camera's images by the queries' own camera.

    Args:
      by_gallery_camera: camera ID to how all queries fared in that camera's images.
      query: identities of the queries.

    Returns:
      Query camera and gallery camera, in ascending order, to the outcomes of the pair's queries
      that have a valid match there. Pairs without such a query are absent, and so are queries
      whose camera is not known.
    """
    pairs = {}
    for camera, retrieval in by_gallery_camera.items():
        scored = retrieval.scored & (query.camera != NO_CAMERA_ID)
        for other in np.unique(query.camera[scored]).tolist():
            pairs[other, camera] = retrieval[scored & (query.camera == other)]
    return dict(sorted(pairs.items()))
