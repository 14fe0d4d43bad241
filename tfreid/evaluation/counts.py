"""How many images a test used and how many it left out."""

from collections import Counter

import numpy as np

from tfreid.datasets import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID, Protocol
from tfreid.retrieval import Identities

_NOBODY = (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID)


def count_images(
    query: Identities, gallery: Identities, scored: np.ndarray, protocol: Protocol
) -> dict[str, int]:
    """Counts the images that were used and those that were left out.

    Args:
      query: identities of the queries.
      gallery: identities of the gallery images.
      scored: `[queries]` bool: the queries that have a valid match.
      protocol: how they were compared.

    Returns:
      `queries` = `queries_used` + `queries_without_match` + `queries_junk` (of no person), and
      `gallery` = `gallery_used` + `gallery_junk`; `gallery_distractors` are among the used.
      `same_camera` counts the gallery images that were left out because the query's own camera
      took them, once for each query that was used. `persons_without_query` are those of the
      gallery whom nobody asks for, such as persons whom a single camera saw.
    """
    of_nobody = np.isin(query.person, _NOBODY)
    asked_for = {*query.person.tolist(), *_NOBODY}
    junk = int((gallery.person == JUNK_PERSON_ID).sum())
    return {
        "queries": len(query),
        "queries_used": int(scored.sum()),
        "queries_without_match": int((~scored & ~of_nobody).sum()),
        "queries_junk": int(of_nobody.sum()),
        "gallery": len(gallery),
        "gallery_used": len(gallery) - junk,
        "gallery_distractors": int((gallery.person == DISTRACTOR_PERSON_ID).sum()),
        "gallery_junk": junk,
        "persons_without_query": len({*gallery.person.tolist()} - asked_for),
        "same_camera": _same_camera(query[scored], gallery) if protocol.camera_filter else 0,
    }


def _same_camera(query: Identities, gallery: Identities) -> int:
    seen = Counter(zip(gallery.person.tolist(), gallery.camera.tolist(), strict=True))
    asked = zip(query.person.tolist(), query.camera.tolist(), strict=True)
    return sum(seen[person_and_camera] for person_and_camera in asked)
