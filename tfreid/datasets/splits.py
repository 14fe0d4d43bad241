"""Drawing a training and a test split for data that come without one."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tfreid.datasets.row import Row, cameras_known
from tfreid.errors import DataError


def draw_split(rows: Sequence[Row], seed: int) -> list[Row]:
    """Splits by person: half of the persons train, the others are the test.

    Of a test person's images, one a camera becomes a query (one in all where cameras are not
    known) as long as every query keeps a match in the gallery, which takes the other images,
    junk and distractors. All choices follow from hashes of the seed and the person or image, so
    that they do not depend on the order of rows or on a library's random numbers.

    Args:
        rows: Rows of one data set; their splits are replaced.
        seed: Another seed draws another split.

    Returns:
        The rows in their order, with their new splits.

    Raises:
        DataError: There are fewer than two persons.
    """
    by_person: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.is_person:
            by_person[row.person_id].append(row)
    if len(by_person) < 2:
        raise DataError(
            f"a split by person needs two persons or more, found {len(by_person)} "
            f"in {len(rows):,} images"
        )
    persons = sorted(by_person, key=lambda person: _draw(seed, f"person {person}"))
    training = set(persons[: len(persons) // 2])
    any_camera = not cameras_known(rows)
    queries = {
        row.key
        for person in persons
        if person not in training
        for row in _queries(by_person[person], seed, any_camera)
    }
    return [replace(row, split=_split_of(row, training, queries)) for row in rows]


def _split_of(row: Row, training: set[int], queries: set[str]) -> str:
    if row.person_id in training:
        return "train"
    return "query" if row.key in queries else "gallery"


def _queries(rows: Sequence[Row], seed: int, any_camera: bool) -> list[Row]:
    """Picks a test person's queries; a match is by another camera, or with `any_camera` by any."""
    gallery = sorted(rows, key=lambda row: _draw(seed, row.key))
    queries: list[Row] = []
    for camera in dict.fromkeys(row.camera_id for row in gallery):
        candidate = next(row for row in gallery if row.camera_id == camera)
        others = [row for row in gallery if row is not candidate]
        cameras_left = {row.camera_id for row in others}
        asked = {row.camera_id for row in [*queries, candidate]}
        if others and (any_camera or all(cameras_left - {camera} for camera in asked)):
            queries.append(candidate)
            gallery = others
    return queries


def _draw(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}/{text}".encode()).digest()
