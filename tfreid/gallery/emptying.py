"""Making sure that what is deleted is gone from the files, too."""

import re
import time
from datetime import datetime

import psycopg

from tfreid.errors import ServingError, UsageError
from tfreid.gallery.checks import one_form
from tfreid.gallery.database import Database

_PATIENCE_S, _PAUSE_S = 5.0, 0.2
_TABLES = ("image", "picture", "positions", "person")
_SEEN = "somebody's open transaction may see them: end that"


def delete(
    connection: psycopg.Connection,
    person: str | None,
    image: str | None,
    older_than: datetime | None,
) -> list[int]:
    """Deletes images, and persons of whom there are none left, in the transaction that is open.

    Args:
      connection: in a transaction. After it, `wipe` has to follow; the gallery knows if it did.
      person: whose images.
      image: name of the one image.
      older_than: images that were enrolled before.

    Returns:
      The numbers of the images.

    Raises:
      UsageError: unless one of the three is given.
    """
    conditions = {
        "person = (SELECT id FROM person WHERE name = %s)": person and one_form(person),
        "name = %s": image and one_form(image),
        "enrolled_at < %s": older_than,
    }
    given = [(what, value) for what, value in conditions.items() if value is not None]
    if len(given) != 1:
        raise UsageError("give one of person, image and older_than to say what to forget")
    what, value = given[0]
    gone = connection.execute(
        f"DELETE FROM image WHERE {what} RETURNING id, person", [value]
    ).fetchall()
    if gone:
        connection.execute(
            "DELETE FROM person WHERE id = ANY(%s) "
            "AND NOT EXISTS (SELECT FROM image WHERE image.person = person.id)",
            [[number for _, number in gone]],
        )
        connection.execute("UPDATE gallery SET to_be_wiped = true")
    return [number for number, _ in gone]


def wipe(connection: psycopg.Connection, of_own_server: bool, patience_s: float = 0.0) -> str:
    """Writes the tables anew without what was deleted, and drops the files that had it.

    PostgreSQL keeps deleted rows in its tables, and what was written in its write-ahead log. Of a
    server that is not the gallery's own, the log is in other hands.

    Args:
      connection: outside of a transaction.
      of_own_server: whether nobody else uses the server.
      patience_s: how long to wait for transactions, of whomever, that may still see what was
        deleted: their rows are copied.

    Returns:
      Why something is left and what ends that, so that it is to be done again; empty if nothing is.
    """
    deadline_s = time.monotonic() + patience_s
    # Who deletes meanwhile writes this row anew, and wipes it after us or leaves it to others.
    (before,) = connection.execute("SELECT xmin::text FROM gallery").fetchone()
    for table in _TABLES:
        while reason := _kept(connection, table):
            if reason != _SEEN or time.monotonic() > deadline_s:
                return reason
            time.sleep(_PAUSE_S)
    if of_own_server:
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
    connection.execute("UPDATE gallery SET to_be_wiped = false WHERE xmin::text = %s", [before])
    return ""


def require_wiped(connection: psycopg.Connection, database: Database) -> None:
    """Wipes, and waits for a while for transactions that may see what was deleted.

    Raises:
      ServingError: if there still are some, or the role may not write the tables anew.
    """
    if reason := wipe(connection, database.is_embedded, _PATIENCE_S):
        raise ServingError(
            f"{database}: the images are deleted, and their bytes are still in its files, as "
            f"{reason}; the next command on the gallery finishes the work"
        )


def _kept(connection: psycopg.Connection, table: str) -> str:
    """Writes a table anew; returns why it has deleted rows even so, empty if it has none."""
    told: list[str] = []
    kept: list[int] = []

    def note(message: psycopg.errors.Diagnostic) -> None:
        told.append(message.message_primary or "")
        # In any language: "12 dead row versions cannot be removed yet."
        kept.extend(map(int, re.findall(r"\A\D*(\d+)", message.message_detail or "")))

    connection.add_notice_handler(note)
    try:
        connection.execute(f"VACUUM (FULL, VERBOSE) {table}")
    finally:
        connection.remove_notice_handler(note)
    if not kept:  # Of each table that it writes anew the server says how many, be it none.
        return (
            f"the server does not write them anew ({'; '.join(told)}): have the role own the "
            "tables or, from PostgreSQL 17 on, grant it MAINTAIN on them"
        )
    return _SEEN if any(kept) else ""
