"""Who did what with a gallery, without names and pictures; the database only lets it grow."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb


def log(connection: psycopg.Connection, actor: str, action: str, **details: Any) -> None:
    """Adds an entry.

    Args:
      connection: to write to.
      actor: who did it.
      action: what, such as `"search"`.
      **details: numbers, of images as `images` and of persons as `persons`, by which what concerns
        a person is found.
    """
    connection.execute(
        "INSERT INTO log (actor, action, details) VALUES (%s, %s, %s)",
        [actor, action, Jsonb(details)],
    )
