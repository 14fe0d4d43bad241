"""Descriptors of another model in place of those that are stored."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg

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
        "searches = NULL, searches_of = NULL, to_be_wiped = true",
        [model, *identity(describer)],
    )
    return done


def identity(describer: "ImageDescriber") -> tuple[bytes, float | None]:
    """Returns what tells the model of a gallery from others, `fingerprint` and `beta`."""
    return describer.fingerprint.astype("<f4").tobytes(), describer.beta
