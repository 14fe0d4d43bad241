"""Descriptors of another model in place of those that are stored."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg

from tfreid.gallery.copying import copy_rows, halfvecs, number
from tfreid.gallery.storing import add_descriptors

if TYPE_CHECKING:
    from tfreid.gallery.describing import ImageDescriber

Advance = Callable[[int], None]
_BATCH_IMAGES = 256


def describe_anew(
    connection: psycopg.Connection, describer: "ImageDescriber", advance: Advance
) -> int:
    """Describes the stored files in the transaction that is open; returns how many there are.

    Raises:
      DataError: if the model gives a descriptor that is not finite or has no length.
    """
    size = describer.size
    connection.execute(
        f"CREATE TEMPORARY TABLE anew (image bigint, descriptor halfvec({size})) ON COMMIT DROP"
    )
    done, last = 0, 0
    while batch := connection.execute(
        "SELECT image.id, image.name, file FROM image JOIN picture ON picture.image = image.id "
        "WHERE image.id > %s ORDER BY image.id LIMIT %s",
        [last, _BATCH_IMAGES],
    ).fetchall():
        numbers, names, files = zip(*batch, strict=True)
        found = halfvecs(describer.describe(list(map(bytes, files)), names))
        with connection.cursor() as cursor:
            rows = zip(map(number, numbers), found, strict=True)
            copy_rows(cursor, "anew (image, descriptor)", rows)
        done, last = done + len(batch), numbers[-1]
        advance(len(batch))
    connection.execute("ALTER TABLE image DROP descriptor")
    add_descriptors(connection, size)
    connection.execute(
        "UPDATE image SET descriptor = anew.descriptor FROM anew WHERE anew.image = image.id"
    )
    return done
