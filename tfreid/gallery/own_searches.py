"""How searches fare in a gallery: each stored image is searched for among all others."""

from collections.abc import Iterable, Iterator

import numpy as np
import psycopg

from tfreid.errors import DataError, UsageError
from tfreid.retrieval.open_set import KEPT, OpenSetSearches

FEWEST_PERSONS = 20
"""Persons below whom the gallery's own images draw no line."""

_SEARCHES = 2000
"""Images that are searched for, drawn at random."""

_BLOCK_IMAGES = 8192
_HEADER_BYTES = 19  # Of PostgreSQL's binary COPY.
_NO_CAMERA = 0


def search_own_images(connection: psycopg.Connection) -> OpenSetSearches:
    """Searches for stored images, each once as if its person were not enrolled.

    An image's own person is found by the images of other cameras, where cameras are known, and
    otherwise by all other images.

    Args:
      connection: to read from.

    Raises:
      UsageError: if there are too few persons to say anything.
      DataError: if others forget so many meanwhile that nobody is left to compare with.
    """
    persons = require_persons(connection)
    queries = drawn(connection, _SEARCHES)
    kept = min(KEPT, persons - 1)
    nearest = np.full((len(queries), kept), np.inf, np.float32)
    whose, own = np.zeros((len(queries), kept), np.int64), np.full(len(queries), np.inf, np.float32)
    for images in _whole_persons(images_in(connection, "ORDER BY person")):
        distances = 1 - units(queries) @ units(images).T
        is_own = queries["person"][:, None] == images["person"]
        starts = np.flatnonzero(np.r_[True, np.diff(images["person"]) > 0])
        others = np.where(is_own, np.inf, distances)
        found = np.hstack([nearest, np.minimum.reduceat(others, starts, axis=1)])
        people = np.broadcast_to(images["person"][starts], (len(queries), len(starts)))
        order = np.argpartition(found, kept - 1, axis=1)[:, :kept]
        nearest = np.take_along_axis(found, order, axis=1)
        whose = np.take_along_axis(np.hstack([whose, people]), order, axis=1)
        mates = np.where(is_own & ~seen_alike(queries, images), distances, np.inf)
        own = np.minimum(own, mates.min(axis=1))
    require_left(np.isfinite(nearest).all())
    order = np.argsort(nearest, axis=1)
    return OpenSetSearches(
        np.take_along_axis(nearest, order, axis=1),
        np.take_along_axis(whose, order, axis=1),
        queries["person"].astype(np.int64),
        persons - 1,
        own,
    )


def require_persons(connection: psycopg.Connection) -> int:
    """Returns how many persons are enrolled.

    Raises:
      UsageError: if they are too few to say anything.
    """
    persons = connection.execute("SELECT count(DISTINCT person) FROM image").fetchone()[0]
    if persons < FEWEST_PERSONS:
        raise UsageError(
            f"{persons} persons are enrolled: to see how near strangers come needs at least "
            f"{FEWEST_PERSONS}"
        )
    return persons


def drawn(connection: psycopg.Connection, count: int) -> np.ndarray:
    """Returns stored images that are searched for, as `images_in` yields them.

    Raises:
      DataError: if there are none.
    """
    blocks = [*images_in(connection, f"ORDER BY md5(id::text) LIMIT {count}")]
    require_left(blocks)
    return np.concatenate(blocks)


def require_left(left: object) -> None:
    """Makes sure that there is still something to compare: meanwhile others may forget.

    Raises:
      DataError: if what is left is empty or false.
    """
    if not left:
        raise DataError(
            "while they were searched for, another process forgot so many of the gallery's images "
            "that nothing follows from the rest: nothing was changed; calibrate again"
        )


def seen_alike(queries: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Whether an image is the query itself, or taken by the same camera; `[queries, images]`."""
    camera = queries["camera"][:, None]
    same_camera = (camera == images["camera"]) & (camera != _NO_CAMERA)
    return same_camera | (queries["image"][:, None] == images["image"])


def units(rows: np.ndarray) -> np.ndarray:
    """Returns the descriptors of images, of length 1, float32 `[n, d]`."""
    descriptors = rows["descriptor"].astype(np.float32)
    return descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)


def images_in(connection: psycopg.Connection, which: str) -> Iterator[np.ndarray]:
    """Yields stored images as arrays of records: `image`, `person`, `camera`, `descriptor`.

    Args:
      connection: to read from.
      which: order and limit, in SQL.
    """
    size = connection.execute(
        "SELECT atttypmod FROM pg_attribute "
        "WHERE attrelid = 'image'::regclass AND attname = 'descriptor'"
    ).fetchone()[0]
    # A row of the binary COPY: each value after the number of its bytes, which never varies here.
    row = np.dtype(
        [
            *[("fields", ">i2"), ("bytes", ">i4"), ("image", ">i8"), ("bytes_1", ">i4")],
            *[("person", ">i8"), ("bytes_2", ">i4"), ("camera", ">i4"), ("bytes_3", ">i4")],
            *[("size", ">i2"), ("unused", ">i2"), ("descriptor", ">f2", size)],
        ]
    )
    statement = (
        f"COPY (SELECT id, person, coalesce(hashtext(camera), {_NO_CAMERA}), descriptor "
        f"FROM image {which}) TO STDOUT (FORMAT BINARY)"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        buffer = bytearray()
        for block in copy:
            buffer += block
            if len(buffer) > _BLOCK_IMAGES * row.itemsize + _HEADER_BYTES:
                yield from _parsed(buffer, row)
        yield from _parsed(buffer, row)


def _parsed(buffer: bytearray, row: np.dtype) -> Iterator[np.ndarray]:
    """Takes whole rows off a buffer."""
    start = _HEADER_BYTES if buffer.startswith(b"PGCOPY") else 0
    count = (len(buffer) - start) // row.itemsize
    if count:
        yield np.frombuffer(bytes(buffer), row, count, start)
    del buffer[: start + count * row.itemsize]


def _whole_persons(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Joins blocks, in the order of persons, so that none ends within a person."""
    held: list[np.ndarray] = []
    for block in blocks:
        last = np.searchsorted(block["person"], block["person"][-1])
        if last:
            yield np.concatenate([*held, block[:last]])
            held = []
        held.append(block[last:])
    if held:
        yield np.concatenate(held)
