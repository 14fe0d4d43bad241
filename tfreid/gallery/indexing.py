"""An index that finds most of the nearest images without looking at all."""

import numpy as np
import psycopg

from tfreid.errors import UsageError
from tfreid.gallery.searching import nearest

_LARGEST, _QUERIES, _TOP = 4000, 200, 10
"""Values of a descriptor that pgvector takes; searches that measure recall; their length."""


def make_index(connection: psycopg.Connection) -> float:
    """Makes an HNSW index, and measures it on the gallery's own images.

    Args:
      connection: in a transaction.

    Returns:
      Which share of the 10 nearest images it finds of those that an exact search finds, mean over
      200 stored images that are searched for, or all where there are fewer.

    Raises:
      UsageError: if descriptors are too large, or there are none.
    """
    connection.execute("LOCK TABLE image IN SHARE ROW EXCLUSIVE MODE")  # Nobody forgets.
    stored = connection.execute(
        "SELECT descriptor::text FROM image ORDER BY md5(id::text) LIMIT %s", [_QUERIES]
    ).fetchall()
    if not stored:
        raise UsageError("the gallery is empty: enrol images before they are indexed")
    queries = [np.fromstring(text.strip("[]"), sep=",") for (text,) in stored]
    if len(queries[0]) > _LARGEST:
        raise UsageError(
            f"the gallery's descriptors have {len(queries[0]):,} values: pgvector indexes "
            f"{_LARGEST:,} at most"
        )
    connection.execute("DROP INDEX IF EXISTS nearest")
    connection.execute("CREATE INDEX nearest ON image USING hnsw (descriptor halfvec_cosine_ops)")
    found = [[_numbers(connection, query, way) for way in (False, True)] for query in queries]
    recall = float(np.mean([len(exact & near) / len(exact) for exact, near in found]))
    connection.execute("UPDATE gallery SET index_recall = %s", [recall])
    return recall


def recall_of_index(connection: psycopg.Connection, gallery: str) -> float:
    """Returns which share of the nearest images the index finds.

    Raises:
      UsageError: if there is none.
    """
    recall = connection.execute("SELECT index_recall FROM gallery").fetchone()[0]
    if recall is None:
        raise UsageError(
            f"{gallery} has no index: make it with python -m tfreid.gallery index, or search "
            "exactly (without approximate)"
        )
    return recall


def _numbers(connection: psycopg.Connection, query: np.ndarray, approximate: bool) -> set[int]:
    found = nearest(connection, query, _TOP, (), None, None, approximate)
    return {match.image for match in found}
