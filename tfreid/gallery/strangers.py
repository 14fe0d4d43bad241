"""How near strangers come to those who are enrolled: each person in turn, who is left out."""

from collections.abc import Iterator

import numpy as np
import psycopg

from tfreid.errors import UsageError

_STRANGERS, _KEPT = 2000, 32
"""Images that are searched for, drawn at random, and persons nearest to each that are noted."""
_FEWEST_PERSONS = 20
_BLOCK_IMAGES = 8192


def nearest_persons(connection: psycopg.Connection) -> tuple[np.ndarray, np.ndarray, int]:
    """Searches for stored images among the images of all other persons.

    Args:
      connection: to read from.

    Returns:
      Cosine distances to the nearest image of each of the nearest persons, ascending, float32
      `[strangers, kept]`; the number of the person on each picture, `[strangers]`; and with how
      many persons each was compared.

    Raises:
      UsageError: if there are too few persons to say anything.
    """
    persons = connection.execute("SELECT count(DISTINCT person) FROM image").fetchone()[0]
    if persons < _FEWEST_PERSONS:
        raise UsageError(
            f"{persons} persons are enrolled: to see how near strangers come needs at least "
            f"{_FEWEST_PERSONS}"
        )
    who, queries = _concatenated(_rows(connection, f"ORDER BY md5(id::text) LIMIT {_STRANGERS}"))
    kept = min(_KEPT, persons - 1)
    nearest = np.full((len(queries), kept), np.inf, np.float32)
    for person, descriptors in _whole_persons(_rows(connection, "ORDER BY person")):
        distances = 1 - queries @ descriptors.T
        starts = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
        by_person = np.minimum.reduceat(distances, starts, axis=1)
        by_person[who[:, None] == person[starts]] = np.inf
        nearest = np.partition(np.hstack([nearest, by_person]), kept - 1, axis=1)[:, :kept]
    return np.sort(nearest, axis=1), who, persons - 1


def _rows(connection: psycopg.Connection, which: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the persons `[n]` of images and their unit descriptors, float32 `[n, d]`."""
    size = connection.execute(
        "SELECT atttypmod FROM pg_attribute "
        "WHERE attrelid = 'image'::regclass AND attname = 'descriptor'"
    ).fetchone()[0]
    # A row of PostgreSQL's binary COPY; both columns always have as many bytes.
    row = np.dtype(
        [
            *[("fields", ">i2"), ("bytes", ">i4"), ("person", ">i8"), ("more", ">i4")],
            *[("size", ">i2"), ("unused", ">i2"), ("descriptor", ">f2", size)],
        ]
    )
    statement = f"COPY (SELECT person, descriptor FROM image {which}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        buffer = bytearray()
        for block in copy:
            buffer += block
            if len(buffer) > _BLOCK_IMAGES * row.itemsize + _HEADER_BYTES:
                yield from _parsed(buffer, row)
        yield from _parsed(buffer, row)


_HEADER_BYTES = 19


def _parsed(buffer: bytearray, row: np.dtype) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Takes whole rows off a buffer."""
    start = _HEADER_BYTES if buffer.startswith(b"PGCOPY") else 0
    count = (len(buffer) - start) // row.itemsize
    if count:
        rows = np.frombuffer(bytes(buffer), row, count, start)
        descriptors = rows["descriptor"].astype(np.float32)
        descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
        yield rows["person"].astype(np.int64), descriptors
    del buffer[: start + count * row.itemsize]


def _whole_persons(
    blocks: Iterator[tuple[np.ndarray, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Joins blocks, in the order of persons, so that none ends within a person."""
    held: list[tuple[np.ndarray, np.ndarray]] = []
    for person, descriptors in blocks:
        last = np.searchsorted(person, person[-1])
        if last:
            yield _concatenated([*held, (person[:last], descriptors[:last])])
            held = []
        held.append((person[last:], descriptors[last:]))
    if held:
        yield _concatenated(held)


def _concatenated(
    blocks: Iterator[tuple[np.ndarray, np.ndarray]] | list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    person, descriptors = zip(*blocks, strict=True)
    return np.concatenate(person), np.concatenate(descriptors)
