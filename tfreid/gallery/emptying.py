"""Making sure that what is deleted is gone from the files, too."""

from datetime import datetime

import psycopg

from tfreid.errors import UsageError

_TABLES = ("image", "picture", "positions", "person")


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
        "person = (SELECT id FROM person WHERE name = %s)": person,
        "name = %s": image,
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


def wipe(connection: psycopg.Connection, of_own_server: bool) -> None:
    """Writes the tables anew without what was deleted, and drops the files that had it.

    PostgreSQL keeps deleted rows in its tables, and what was written in its write-ahead log. Of a
    server that is not the gallery's own, the log is in other hands.

    Args:
      connection: outside of a transaction.
      of_own_server: whether nobody else uses the server.
    """
    for table in _TABLES:
        connection.execute(f"VACUUM (FULL) {table}")
    if of_own_server:
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
    connection.execute("UPDATE gallery SET to_be_wiped = false")
