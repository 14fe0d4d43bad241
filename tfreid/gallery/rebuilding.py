"""Descriptors of another model in place of those that are stored, and who has not heard of it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from tfreid.errors import UsageError
from tfreid.gallery.copying import copy_rows, halfvecs, number
from tfreid.gallery.reconstructing import described, store_positions
from tfreid.gallery.storing import add_descriptors

if TYPE_CHECKING:
    from tfreid.gallery.describing import ImageDescriber

Advance = Callable[[int], None]
_BATCH_IMAGES = 256


def describe_anew(
    connection: psycopg.Connection, describer: "ImageDescriber", model: str, advance: Advance
) -> int:
    """Describes the stored files in the transaction that is open.

    Args:
      connection: in a transaction. After it, `wipe` has to follow.
      describer: of the gallery's model from then on.
      model: how to open it again.
      advance: called with a number of images that are done.

    Returns:
      How many there are.

    Raises:
      DataError: if the model gives a descriptor that is not finite or has no length.
    """
    size = describer.size
    connection.execute(
        f"CREATE TEMPORARY TABLE anew (image bigint, descriptor halfvec({size})) ON COMMIT DROP"
    )
    connection.execute("DELETE FROM positions")
    done, last = 0, 0
    while batch := connection.execute(
        "SELECT image.id, image.name, file FROM image JOIN picture ON picture.image = image.id "
        "WHERE image.id > %s ORDER BY image.id LIMIT %s",
        [last, _BATCH_IMAGES],
    ).fetchall():
        numbers, names, files = zip(*batch, strict=True)
        descriptors, positions = described(describer, list(map(bytes, files)), names)
        with connection.cursor() as cursor:
            rows = zip(map(number, numbers), halfvecs(descriptors), strict=True)
            copy_rows(cursor, "anew (image, descriptor)", rows)
            if positions:
                store_positions(cursor, numbers, positions)
        done, last = done + len(batch), numbers[-1]
        advance(len(batch))
    connection.execute("ALTER TABLE image DROP descriptor")
    add_descriptors(connection, size)
    connection.execute(
        "UPDATE image SET descriptor = anew.descriptor FROM anew WHERE anew.image = image.id"
    )
    connection.execute(
        "UPDATE gallery SET model = %s, fingerprint = %s, beta = %s, rebuilt = rebuilt + 1, "
        "searches = NULL, searches_of = NULL, index_recall = NULL, to_be_wiped = true",
        [model, *identity(describer)],
    )
    return done


def of_same_model(
    connection: psycopg.Connection, rebuilt: int, place: str, lock: str
) -> dict[str, Any]:
    """Returns settings, if no other process has rebuilt the gallery since it was opened.

    Args:
      connection: in a transaction, for the lock to last.
      rebuilt: how often it had been by then.
      place: of the gallery, for the error.
      lock: of the settings' row; empty for none.

    Raises:
      UsageError: if one has.
    """
    rows = connection.cursor(row_factory=dict_row)
    found = rows.execute(f"SELECT rebuilt, keep_images FROM gallery {lock}").fetchone()
    if found["rebuilt"] != rebuilt:
        raise UsageError(f"{place} was rebuilt with another model meanwhile: open it again")
    return found


@contextlib.contextmanager
def unless_rebuilt(check: Callable[[], object]) -> Iterator[None]:
    """Calls `check` where descriptors of two sizes met, which only a rebuilding does."""
    try:
        yield
    except (psycopg.DataError, ValueError):
        check()
        raise


def identity(describer: "ImageDescriber") -> tuple[bytes, float | None]:
    """Returns what tells the model of a gallery from others, `fingerprint` and `beta`."""
    return describer.fingerprint.astype("<f4").tobytes(), describer.beta
