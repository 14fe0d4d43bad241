"""What a gallery holds."""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from tfreid.errors import UsageError
from tfreid.gallery.answers import Match
from tfreid.gallery.checks import one_form
from tfreid.gallery.database import Database
from tfreid.gallery.lines import count_persons, in_words, line_of
from tfreid.gallery.searching import MATCH

_INTERNAL = ("fingerprint", "rebuilt")


class Contents:
    """What a gallery holds, without its model.

    Args:
      database: where it is.
    """

    def __init__(self, database: Database):
        self._database = database

    def persons(self) -> list[tuple[str, int]]:
        """Returns the persons and the number of images of each, by name."""
        return self._rows(
            "SELECT person.name, count(*) FROM person JOIN image ON image.person = person.id "
            "GROUP BY person.id ORDER BY person.name"
        )

    def images(self, person: str) -> list[Match]:
        """Returns the images of a person, at distance 0.

        Raises:
          UsageError: if nobody of the name is stored.
        """
        with self._database.connect() as connection:
            found = _images_of(connection, person)
        if not found:
            raise UsageError(f"{self._database} has nobody called {person!r}")
        return found

    def cameras(self) -> list[str]:
        """Returns the names of the cameras, sorted."""
        rows = self._rows("SELECT DISTINCT camera FROM image WHERE camera IS NOT NULL ORDER BY 1")
        return [name for (name,) in rows]

    def thumbnail(self, image: int) -> bytes | None:
        """Returns a small JPEG of a stored image; None if there is no such image."""
        rows = self._rows("SELECT thumbnail FROM picture WHERE image = %s", [image])
        return bytes(rows[0][0]) if rows else None

    def stored(self, person: str) -> dict[str, Any]:
        """Returns all that is stored on a person, for JSON; pictures and positions in base64.

        Raises:
          UsageError: if nobody of the name is stored.
        """
        self.images(person)
        with self._database.connect() as connection:
            return _stored_on(connection, person)

    def settings(self) -> dict[str, Any]:
        """Returns what was decided when the gallery was made, and since."""
        with self._database.connect() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return cursor.execute(
                "SELECT model, fingerprint, beta, rebuilt, fpir, keep_images, expire_days, "
                "index_recall, searches_of FROM gallery"
            ).fetchone()

    def status(self) -> dict[str, Any]:
        """Returns what the gallery is, for JSON."""
        found = self.settings()
        with self._database.connect() as connection:
            images, newest = connection.execute(
                "SELECT count(*), max(enrolled_at)::text FROM image"
            ).fetchone()
            persons = count_persons(connection)
            line, reason = line_of(connection)
        return {
            "place": str(self._database),
            "persons": persons,
            "images": images,
            "last_enrolled_at": newest,
            **{name: value for name, value in found.items() if name not in _INTERNAL},
            "line": vars(line) if line else None,
            "reason": reason,
        }

    def line_in_words(self) -> str:
        """Returns where "nobody" begins, and what that means, as a sentence."""
        with self._database.connect() as connection:
            line, reason = line_of(connection)
        return f"where nobody begins cannot be told: {reason}" if line is None else in_words(line)

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple]:
        with self._database.connect() as connection:
            return connection.execute(statement, values).fetchall()


def _images_of(connection: psycopg.Connection, person: str) -> list[Match]:
    """Returns the images of a person, at distance 0."""
    cursor = connection.cursor(row_factory=class_row(Match))
    return cursor.execute(
        f"SELECT {MATCH}, 0.0 AS distance FROM image JOIN person ON person.id = image.person "
        "WHERE person.name = %s ORDER BY image.id",
        [one_form(person)],
    ).fetchall()


def _stored_on(connection: psycopg.Connection, person: str) -> dict[str, Any]:
    """Returns all that is stored on a person, for JSON; pictures and positions in base64."""
    person, cursor = one_form(person), connection.cursor(row_factory=dict_row)
    images = cursor.execute(
        "SELECT image.id, image.name, camera, taken_at::text, enrolled_at::text, "
        "encode(sha256, 'hex') AS sha256, descriptor::text, "
        "encode(thumbnail, 'base64') AS thumbnail, encode(file, 'base64') AS file, "
        "encode(positions.positions, 'base64') AS positions, "
        "encode(foreground, 'base64') AS foreground "
        "FROM image JOIN person ON person.id = image.person "
        "JOIN picture ON picture.image = image.id "
        "LEFT JOIN positions ON positions.image = image.id "
        "WHERE person.name = %s ORDER BY image.id",
        [person],
    ).fetchall()
    log = cursor.execute(  # An array: the `images` of older entries may be a mere count.
        "SELECT at::text, actor, action, details FROM log "
        "WHERE details->'images' @> ANY(SELECT jsonb_build_array(unnest(%s::bigint[]))) "
        "OR details->'persons' @> (SELECT to_jsonb(id) FROM person WHERE name = %s) ORDER BY id",
        [[image["id"] for image in images], person],
    ).fetchall()
    for image in images:
        image["descriptor"] = json.loads(image["descriptor"])
    own = {image["id"] for image in images}
    for entry in log:  # Of others the person learns nothing.
        entry["details"].pop("persons", None)
        if isinstance(entry["details"].get("images"), list):
            entry["details"]["images"] = [n for n in entry["details"]["images"] if n in own]
    return {"person": person, "images": images, "log": log}
