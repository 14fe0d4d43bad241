"""What is read of a gallery's tables."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import class_row, dict_row

from tfreid.gallery.answers import Match

_MATCH = "image.id AS image, image.name, person.name AS person, image.camera, image.taken_at"


def nearest(
    connection: psycopg.Connection,
    query: np.ndarray,
    top: int,
    cameras: Sequence[str],
    since: datetime | None,
    until: datetime | None,
) -> list[Match]:
    """Compares a descriptor with all that are stored, or with those that filters leave.

    Args:
      connection: to read from.
      query: floats `[d]`, of any length.
      top: images to return at most.
      cameras: only images of these; of all if empty.
      since: only images taken then or later.
      until: only images taken before.

    Returns:
      The nearest images by cosine distance; those at the same distance in the order of storing.
    """
    filters = {
        "camera = ANY(%(cameras)s)": list(cameras),
        "taken_at >= %(since)s": since,
        "taken_at < %(until)s": until,
    }
    conditions = " AND ".join(what for what, value in filters.items() if value) or "TRUE"
    values = {"cameras": list(cameras), "since": since, "until": until, "top": top}
    cursor = connection.cursor(row_factory=class_row(Match))
    return cursor.execute(
        f"SELECT {_MATCH}, distance FROM ("
        "SELECT *, descriptor <=> %(query)s::halfvec AS distance FROM image "
        f"WHERE {conditions} ORDER BY distance, id LIMIT %(top)s"
        ") image JOIN person ON person.id = image.person ORDER BY distance, image.id",
        {**values, "query": str(query.tolist())},
    ).fetchall()


def images_of(connection: psycopg.Connection, person: str) -> list[Match]:
    """Returns the images of a person, at distance 0."""
    cursor = connection.cursor(row_factory=class_row(Match))
    return cursor.execute(
        f"SELECT {_MATCH}, 0.0 AS distance FROM image JOIN person ON person.id = image.person "
        "WHERE person.name = %s ORDER BY image.id",
        [person],
    ).fetchall()


def stored_on(connection: psycopg.Connection, person: str) -> dict[str, Any]:
    """Returns all that is stored on a person, for JSON; pictures in base64."""
    cursor = connection.cursor(row_factory=dict_row)
    images = cursor.execute(
        "SELECT image.id, image.name, camera, taken_at::text, enrolled_at::text, "
        "encode(sha256, 'hex') AS sha256, descriptor::text, "
        "encode(thumbnail, 'base64') AS thumbnail, encode(file, 'base64') AS file "
        "FROM image JOIN person ON person.id = image.person "
        "JOIN picture ON picture.image = image.id WHERE person.name = %s ORDER BY image.id",
        [person],
    ).fetchall()
    log = cursor.execute(
        "SELECT at::text, actor, action, details FROM log "
        "WHERE details->'images' @> ANY(SELECT to_jsonb(unnest(%s::bigint[]))) "
        "OR details->'persons' @> (SELECT to_jsonb(id) FROM person WHERE name = %s) ORDER BY id",
        [[image["id"] for image in images], person],
    ).fetchall()
    for image in images:
        image["descriptor"] = json.loads(image["descriptor"])
    return {"person": person, "images": images, "log": log}
