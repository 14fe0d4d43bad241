"""The protocols in plain Python: one full ranking per query, written from the definitions."""

import numpy as np

from tfreid.datasets.protocols import PROTOCOLS
from tfreid.retrieval import Identities


def protocol_with(camera_filter):
    return PROTOCOLS["market" if camera_filter else "no_camera"]


def random_problem(seed, levels=None, queries=40, images=90):
    """Distances and identities; persons -1 (junk), 0 (distractors) and others, cameras 0 to 3.

    Some queries have no match, some only matches by their own camera. Few levels make ties.
    """
    random = np.random.default_rng(seed)
    query = Identities(random.integers(-1, 9, queries), random.integers(0, 4, queries))
    gallery = Identities(random.integers(-1, 8, images), random.integers(0, 4, images))
    distances = random.random((queries, images))
    if levels:
        distances = np.floor(distances * levels) / levels
    return distances.astype(np.float32), query, gallery


def ranking(distances, person, camera, gallery, camera_filter):
    """The valid images of one query from the nearest to the farthest, as (image, is a match)."""
    rows = []
    for image, distance in enumerate(distances):
        match = bool(gallery.person[image] == person and person not in (-1, 0))
        left_out = camera_filter and match and gallery.camera[image] == camera
        if gallery.person[image] != -1 and not left_out:
            # At the same distance False, the wrong ones, come first.
            rows.append((float(distance), match, image))
    return [(image, match) for _, match, image in sorted(rows)]


def scores(hits, trapezoid=False):
    """First match, average precision, inverse negative penalty, matches and chance of a ranking."""
    if not any(hits):
        return 0, np.nan, np.nan, 0, np.nan
    found, before, total, last = 0, 1.0, 0.0, 0
    for rank, hit in enumerate(hits, start=1):
        found += hit
        total += hit * ((before + found / rank) / 2 if trapezoid else found / rank)
        before = found / rank
        last = rank if hit else last
    return hits.index(True) + 1, total / found, found / last, found, found / len(hits)


def evaluation(distances, query, gallery, camera_filter, trapezoid=False):
    """The five columns of `scores`, by query."""
    rows = []
    for row, person, camera in zip(distances, query.person, query.camera, strict=True):
        ranked = ranking(row, person, camera, gallery, camera_filter)
        rows.append(scores([match for _, match in ranked], trapezoid))
    return tuple(map(np.array, zip(*rows, strict=True)))


def assert_outcomes(retrieval, expected):
    first, precision, penalty, matches, chance = expected
    np.testing.assert_array_equal(retrieval.first_match, first)
    np.testing.assert_allclose(retrieval.average_precision, precision, rtol=1e-12)
    np.testing.assert_allclose(retrieval.inverse_negative_penalty, penalty, rtol=1e-12)
    np.testing.assert_array_equal(retrieval.matches, matches)
    np.testing.assert_allclose(retrieval.chance, chance, rtol=1e-12)


def in_blocks(distances, size):
    return (distances[start : start + size] for start in range(0, len(distances), size))
