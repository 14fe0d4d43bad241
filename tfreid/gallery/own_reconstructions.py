"""How searches by reconstruction fare in a gallery: each stored image is searched for."""

from collections.abc import Mapping
from operator import itemgetter

import numpy as np
import psycopg

from tfreid.gallery.own_searches import drawn, images_in, require_persons, seen_alike, units
from tfreid.gallery.reconstructing import SHORTLIST, features_of, reconstruct, stored_positions
from tfreid.retrieval.open_set import KEPT, OpenSetSearches

_NOT_COMPARED = 2.0
"""Distance of who is not on the shortlist: by reconstruction nothing is farther off than 1."""

_NOBODY = (0, _NOT_COMPARED)

_SEARCHES = 500
"""Images that are searched for: fewer than by descriptors, as each reconstructs a shortlist."""


def search_own_positions(connection: psycopg.Connection, beta: float) -> OpenSetSearches:
    """Searches for stored images as `search_own_images` does, in the two steps of a search.

    In a search as if the person were not enrolled the shortlist is of others' images; in one for
    the person, of these and of those by which he or she may be found.

    Args:
      connection: to read from, outside of a transaction: it takes long, and others forget.
      beta: of the reconstruction.

    Raises:
      UsageError: if there are too few persons to say anything.
    """
    persons = require_persons(connection)
    queries = drawn(connection, _SEARCHES)
    others, mates = _Nearest(len(queries)), _Nearest(len(queries))
    for images in images_in(connection, "ORDER BY id"):
        distances = 1 - units(queries) @ units(images).T
        is_own = queries["person"][:, None] == images["person"]
        others.add(np.where(is_own, np.inf, distances), images)
        mates.add(np.where(is_own & ~seen_alike(queries, images), distances, np.inf), images)
    nearest, own = [], []
    for place, image in enumerate(queries["image"].tolist()):
        near, mine, has_mates = others.of(place), mates.of(place), bool(mates.of(place))
        farthest = sorted(row[0] for row in near + mine)[:SHORTLIST][-1]
        mine = [row for row in mine if row[0] <= farthest]
        found = _distances(connection, image, [row[1] for row in near + mine], beta)
        nearest.append(_nearest_persons(near, found, min(KEPT, persons - 1)))
        reached = [found[row[1]] for row in mine if row[1] in found]
        own.append(min(reached, default=_NOT_COMPARED if has_mates else np.inf))
    whose, distances = np.moveaxis(np.array(nearest), 2, 0)
    return OpenSetSearches(
        distances.astype(np.float32),
        whose.astype(np.int64),
        queries["person"].astype(np.int64),
        persons - 1,
        np.array(own, np.float32),
    )


def _distances(
    connection: psycopg.Connection, image: int, others: list[int], beta: float
) -> dict[int, float]:
    """Distances of a stored image from others by their numbers, without those gone meanwhile."""
    query, rows = stored_positions(connection, [image]), stored_positions(connection, others)
    if not query or not rows:
        return {}
    distances = reconstruct(features_of(query), features_of(rows), beta)[0]
    return dict(zip((row[0] for row in rows), distances.tolist(), strict=True))


def _nearest_persons(
    near: list[tuple[float, int, int]], found: Mapping[int, float], kept: int
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

    def of(self, query: int) -> list[tuple[float, int, int]]:
        """Returns distance by descriptor, number and person of each image on a query's list."""
        row = self._rows[query]
        return row[np.isfinite(row["distance"])].tolist()
