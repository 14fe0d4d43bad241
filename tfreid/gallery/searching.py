"""Comparing a descriptor with those that are stored."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import psycopg
from psycopg.rows import class_row

from tfreid.errors import UsageError
from tfreid.gallery.answers import Match
from tfreid.gallery.checks import one_form

MATCH = "image.id AS image, image.name, person.name AS person, image.camera, image.taken_at"
"""What `Match` has of a stored image, but for its distance."""

_ALL = "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off"
_BY_INDEX = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; "
    "SET LOCAL hnsw.ef_search = 200; SET LOCAL hnsw.iterative_scan = strict_order"
)


def nearest(
    connection: psycopg.Connection,
    query: np.ndarray,
    top: int,
    cameras: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    approximate: bool = False,
) -> list[Match]:
    """Compares a descriptor with all that are stored, or with those that filters leave.

    Args:
      connection: to read from.
      query: floats `[d]`, of any length.
      top: images to return at most.
      cameras: only images of these; of all if empty.
      since: only images taken then or later.
      until: only images taken before.
      approximate: whether to look where the index says, which may leave out images.

    Returns:
      The nearest images by cosine distance; those at the same distance in the order of storing.

    Raises:
      UsageError: if the filters leave no image, which would answer "nobody" of nobody.
    """
    filters = {
        "camera = ANY(%(cameras)s)": list(cameras),
        "taken_at >= %(since)s": since,
        "taken_at < %(until)s": until,
    }
    conditions = " AND ".join(what for what, value in filters.items() if value) or "TRUE"
    values = {
        "cameras": [one_form(name) for name in cameras],
        "since": since,
        "until": until,
        "top": top,
    }
    order = "" if approximate else ", id"  # An index sorts by distance alone.
    cursor = connection.cursor(row_factory=class_row(Match))
    with connection.transaction():
        cursor.execute(_BY_INDEX if approximate else _ALL)
        found = cursor.execute(
            f"SELECT {MATCH}, distance FROM ("
            "SELECT *, descriptor <=> %(query)s::halfvec AS distance FROM image "
            f"WHERE {conditions} ORDER BY distance{order} LIMIT %(top)s"
            ") image JOIN person ON person.id = image.person ORDER BY distance, image.id",
            {**values, "query": str(query.tolist())},
        ).fetchall()
    if not found and any(filters.values()):
        if approximate:  # The index gives up after so many images that filters leave out.
            return nearest(connection, query, top, cameras, since, until)
        raise UsageError(
            "no stored image is of these cameras and times, so that there is nobody to compare with"
        )
    return found
