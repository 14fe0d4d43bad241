"""Distances from parts of the body, against plain NumPy in float64."""

import numpy as np
import pytest

from tests.masks.networks import STANDING
from tfreid.masks.regions import GRID, region_distances

SIDE_PX = 256


@pytest.fixture(scope="module")
def landmarks():
    places = np.zeros((39, 2))
    for index, place in STANDING.items():
        places[index] = place
    return places


def distance(place, start, end):
    """Of a point from a line, by looking at many points of the line."""
    points = start + np.linspace(0, 1, 10_001)[:, None] * (end - start)
    return np.hypot(*(points - place).T).min()


def test_the_legs_are_lines_from_hips_to_toes(landmarks):
    lines = [(23, 24), (23, 25), (24, 26), (25, 27), (26, 28), (27, 31), (28, 32), (27, 29)]
    lines += [(28, 30)]
    found = region_distances(landmarks, SIDE_PX)[2]
    for row, column in np.random.default_rng(0).integers(0, GRID, (50, 2)):
        place = (np.array([column, row]) + 0.5) * SIDE_PX / GRID
        expected = min(distance(place, landmarks[a], landmarks[b]) for a, b in lines)
        np.testing.assert_allclose(found[row, column], expected, atol=2e-2)


def test_joints_lie_in_their_parts(landmarks):
    nearest = region_distances(landmarks, SIDE_PX).argmin(axis=0)
    parts = {0: (7, 8, 9, 10), 1: (11, 12, 13, 14), 2: (23, 24, 25, 26, 27, 28, 31, 32)}
    for part, joints in parts.items():
        for joint in joints:
            column, row = (landmarks[joint] * GRID / SIDE_PX).astype(int)
            assert nearest[row, column] == part, joint


@pytest.mark.parametrize(("share", "part"), [(0.05, 2), (0.1, 1)])
def test_the_waist_lies_above_the_hips(landmarks, share, part):
    """Half way from the hips to 0.15 of the way to the shoulders, at the sides too."""
    nearest = region_distances(landmarks, SIDE_PX).argmin(axis=0)
    for shoulder, hip in ((11, 23), (12, 24)):
        place = landmarks[hip] + share * (landmarks[shoulder] - landmarks[hip])
        column, row = (place * GRID / SIDE_PX).astype(int)
        assert nearest[row, column] == part


def test_the_head_goes_on_above_the_ears(landmarks):
    ears, shoulders = landmarks[[7, 8]].mean(axis=0), landmarks[[11, 12]].mean(axis=0)
    crown = ears + 0.6 * (ears - shoulders)
    head = region_distances(landmarks, SIDE_PX)[0]
    column, row = (crown * GRID / SIDE_PX).astype(int)
    assert head[row, column] < SIDE_PX / GRID
    assert head[row - 10, column] == pytest.approx(10 * SIDE_PX / GRID, abs=2.0)


def test_points_that_coincide_do_no_harm():
    assert np.isfinite(region_distances(np.zeros((39, 2)), SIDE_PX)).all()
