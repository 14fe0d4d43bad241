"""Images and descriptors into the tables of a gallery."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

import numpy as np
import psycopg

from tfreid.errors import UsageError
from tfreid.gallery.answers import NewImage
from tfreid.gallery.copying import copy_rows, halfvecs, moment, number, text
from tfreid.gallery.reconstructing import store_positions
from tfreid.retrieval.reconstruction import PositionFeatures

_MOST_NAMED = 5
"""Pictures of two persons that an error names."""

_MOST_IN_PLACE = 3500
"""Values of two bytes that fit a page of 8 KiB with what else a row has."""


def add_descriptors(connection: psycopg.Connection, size: int) -> None:
    """Adds the column of descriptors of a size, empty.

    A search reads them where they lie, not from another table, as far as they fit there; and no
    sample of them is kept among the statistics, where it would survive what it is of.
    """
    storage = "PLAIN" if size <= _MOST_IN_PLACE else "EXTERNAL"
    connection.execute(
        f"ALTER TABLE image ADD descriptor halfvec({size}), "
        f"ALTER descriptor SET STORAGE {storage}, ALTER descriptor SET STATISTICS 0"
    )


def not_stored(connection: psycopg.Connection, images: Sequence[NewImage]) -> list[NewImage]:
    """Returns the images that are not stored yet.

    Raises:
      UsageError: if an image has the name of one that is stored and is another one, or is the same
        file as one of another person.
    """
    digests = [_digest(image) for image in images]
    rows = connection.execute(
        "SELECT image.name, person.name, sha256 FROM image JOIN person ON person.id = image.person "
        "WHERE image.name = ANY(%s) OR sha256 = ANY(%s)",
        [[image.name for image in images], digests],
    )
    stored = {name: (person, bytes(digest)) for name, person, digest in rows}
    for image, digest in zip(images, digests, strict=True):
        if stored.get(image.name, (image.person, digest)) != (image.person, digest):
            raise UsageError(
                f"{image.name} is the name of another stored image, of {stored[image.name][0]}: "
                "forget that one first, or give this one another name"
            )
    shown = {digest: (name, person) for name, (person, digest) in stored.items()}
    new = [place for place, image in enumerate(images) if image.name not in stored]
    _require_one_person([(digests[place], images[place]) for place in new], shown)
    return [images[place] for place in new]


def _require_one_person(
    images: Sequence[tuple[bytes, NewImage]], shown: dict[bytes, tuple[str, str]]
) -> None:
    """Refuses a picture of two persons; `shown` has a name and the person of those stored."""
    faults = []
    for digest, image in images:
        name, person = shown.setdefault(digest, (image.name, image.person))
        if person != image.person:
            faults.append(
                f"{image.name} of {image.person} is the same picture as {name} of {person}"
            )
    if faults:
        more = f"; and {len(faults) - _MOST_NAMED:,} more" if len(faults) > _MOST_NAMED else ""
        raise UsageError(
            f"{'; '.join(faults[:_MOST_NAMED])}{more}: a picture is of one person; leave the wrong "
            "one out, or forget it where it is stored"
        )


def store(
    connection: psycopg.Connection,
    images: Sequence[NewImage],
    descriptors: np.ndarray,
    thumbnails: Sequence[bytes],
    keep_images: bool,
    positions: PositionFeatures | None = None,
) -> list[int]:
    """Stores images in the transaction that is open.

    Args:
      connection: in a transaction.
      images: with names that are not stored.
      descriptors: floats `[images, d]`.
      thumbnails: a small JPEG of each.
      keep_images: whether to store their files, too.
      positions: of the images, where they are compared by these.

    Returns:
      The numbers of the persons whom they show.

    Raises:
      UsageError: if another process has stored an image of one of the names meanwhile.
    """
    persons = _numbers_of(connection, sorted({image.person for image in images}))
    numbers = [
        found
        for (found,) in connection.execute(
            "SELECT nextval(pg_get_serial_sequence('image', 'id')) FROM generate_series(1, %s)",
            [len(images)],
        )
    ]
    now = moment(datetime.now(timezone.utc))
    with connection.cursor() as cursor, _names_taken():
        copy_rows(
            cursor,
            "image (id, person, name, camera, taken_at, enrolled_at, sha256, descriptor)",
            (
                (
                    *(number(place), number(persons[image.person]), text(image.name)),
                    *(text(image.camera), moment(image.taken_at), now, _digest(image), descriptor),
                )
                for place, image, descriptor in zip(
                    numbers, images, halfvecs(descriptors), strict=True
                )
            ),
        )
        copy_rows(
            cursor,
            "picture (image, thumbnail, file)",
            (
                (number(place), small, image.file if keep_images else None)
                for place, image, small in zip(numbers, images, thumbnails, strict=True)
            ),
        )
        if positions:
            store_positions(cursor, numbers, positions)
    return sorted(persons.values())


def _numbers_of(connection: psycopg.Connection, names: Sequence[str]) -> dict[str, int]:
    """The number of each person, who is stored if he or she was not."""
    connection.execute(
        "INSERT INTO person (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", [names]
    )
    # Locked, so that nobody forgets a person while an image of hers is stored.
    found = connection.execute(
        "SELECT name, id FROM person WHERE name = ANY(%s) ORDER BY id FOR KEY SHARE", [names]
    )
    return dict(found.fetchall())


@contextlib.contextmanager
def _names_taken() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise UsageError(
            "another process has just stored an image of the same name "
            f"({error.diag.message_detail}): run the same again"
        ) from None


def _digest(image: NewImage) -> bytes:
    return hashlib.sha256(image.file).digest()
