"""How searches by reconstruction fare in a gallery: each stored image is searched for."""

from collections.abc import Mapping
from operator import itemgetter

import numpy as np
import psycopg

from tfreid.gallery.own_searches import (
    drawn,
    images_in,
    require_left,
    require_persons,
    search_own_images,
    seen_alike,
    units,
)
from tfreid.gallery.reconstructing import SHORTLIST, features_of, reconstruct, stored_positions
from tfreid.retrieval.open_set import KEPT, OpenSetSearches

_NOT_COMPARED = 2.0
"""Distance of who is not on the shortlist: by reconstruction nothing is farther off than 1."""

Row = tuple[float, int, int]
"""Of a shortlist: distance by descriptor, number of the image and of its person."""

_NOBODY = (0, _NOT_COMPARED)

_SEARCHES = 500
"""Images that are searched for: fewer than by descriptors, as each reconstructs a shortlist."""


def search_own(connection: psycopg.Connection, beta: float | None) -> OpenSetSearches:
    """Searches for stored images by positions; by descriptors where there is no beta."""
    return search_own_positions(connection, beta) if beta else search_own_images(connection)


def search_own_positions(connection: psycopg.Connection, beta: float) -> OpenSetSearches:
    """Searches for stored images as `search_own_images` does, in the two steps of a search.

    In a search as if the person were not enrolled the shortlist is of others' images; in one for
    the person, of these and of those by which he or she may be found.

    Args:
      connection: to read from, outside of a transaction: it takes long, and others forget.
      beta: of the reconstruction.

    Raises:
      UsageError: if there are too few persons to say anything.
      DataError: if others forget so many meanwhile that nobody is left to compare with.
    """
    persons = require_persons(connection)
    queries = drawn(connection, _SEARCHES)
    others, mates = _Nearest(len(queries)), _Nearest(len(queries))
    for images in images_in(connection, "ORDER BY id"):
        distances = 1 - units(queries) @ units(images).T
        is_own = queries["person"][:, None] == images["person"]
        others.add(np.where(is_own, np.inf, distances), images)
        mates.add(np.where(is_own & ~seen_alike(queries, images), distances, np.inf), images)
    near, mine = others.lists(), mates.lists()
    require_left(all(near))
    reached = [_reached(*lists) for lists in zip(near, mine, strict=True)]
    shortlists = [[row[1] for row in a + b] for a, b in zip(near, reached, strict=True)]
    compared = _compared(connection, queries["image"].tolist(), shortlists, beta)
    left = [place for place, found in enumerate(compared) if found]
    require_left(left)
    nearest, own = [], []
    for place in left:
        found = compared[place]
        nearest.append(_nearest_persons(near[place], found, min(KEPT, persons - 1)))
        distances = [found.get(row[1], _NOT_COMPARED) for row in reached[place]]
        own.append(min(distances, default=_NOT_COMPARED if mine[place] else np.inf))
    whose, distances = np.moveaxis(np.array(nearest), 2, 0)
    return OpenSetSearches(
        distances.astype(np.float32),
        whose.astype(np.int64),
        queries["person"][left].astype(np.int64),
        persons - 1,
        np.array(own, np.float32),
    )


def _reached(near: list[Row], mine: list[Row]) -> list[Row]:
    """Those of the own images that are on the shortlist of a search for the person."""
    farthest = sorted(row[0] for row in near + mine)[:SHORTLIST][-1]
    return [row for row in mine if row[0] <= farthest]


def _compared(
    connection: psycopg.Connection, images: list[int], shortlists: list[list[int]], beta: float
) -> list[dict[int, float]]:
    """The distances of each stored image from its shortlist, without images gone meanwhile.

    A stored image is reconstructed from once, for all that have it on their shortlist.
    """
    if not (rows := stored_positions(connection, images)):
        return []
    probes, places = features_of(rows), {row[0]: place for place, row in enumerate(rows)}
    wanted: dict[int, list[int]] = {}
    for image, shortlist in zip(images, shortlists, strict=True):
        for other in shortlist if image in places else ():
            wanted.setdefault(other, []).append(image)
    found: dict[int, dict[int, float]] = {image: {} for image in images}
    for other, queries in wanted.items():
        if stored := stored_positions(connection, [other]):
            query = probes[np.array([places[image] for image in queries])]
            distances = reconstruct(query, features_of(stored), beta)[:, 0]
            for image, distance in zip(queries, distances.tolist(), strict=True):
                found[image][other] = distance
    return list(found.values())


def _nearest_persons(
    near: list[Row], found: Mapping[int, float], kept: int
) -> list[tuple[int, float]]:
    """The nearest persons of a shortlist, each with the distance of the nearest image."""
    persons: dict[int, float] = {}
    for _, image, person in near:
        distance = found.get(image, _NOT_COMPARED)
        persons[person] = min(distance, persons.get(person, _NOT_COMPARED))
    nearest = sorted(persons.items(), key=itemgetter(1))[:kept]
    return nearest + [_NOBODY] * (kept - len(nearest))


class _Nearest:
    """The shortlist of each query among images that come in blocks."""

    def __init__(self, queries: int):
        self._rows = np.zeros(
            (queries, SHORTLIST), [("distance", "f4"), ("image", "i8"), ("person", "i8")]
        )
        self._rows["distance"] = np.inf

    def add(self, distances: np.ndarray, images: np.ndarray) -> None:
        """Takes the distances of a block, `[queries, images]`; infinite where left out."""
        new = np.empty(distances.shape, self._rows.dtype)
        new["distance"] = distances
        new["image"], new["person"] = images["image"], images["person"]
        joined = np.hstack([self._rows, new])
        order = np.argpartition(joined["distance"], SHORTLIST - 1, axis=1)[:, :SHORTLIST]
        self._rows = np.take_along_axis(joined, order, axis=1)

    def lists(self) -> list[list[Row]]:
        """Returns the shortlist of each query."""
        return [rows[np.isfinite(rows["distance"])].tolist() for rows in self._rows]
