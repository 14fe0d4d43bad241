import numpy as np
import pytest

from tests.retrieval.by_definition import (
    assert_outcomes,
    evaluation,
    protocol_with,
    random_problem,
)
from tfreid.retrieval import Identities, evaluate

UNKNOWN_CAMERA = 0


def by_definition(distances, query, gallery, camera_filter, trapezoid):
    """For each pair of cameras: what the protocol gives for their images alone."""
    pairs = {}
    for query_camera in range(1, 4):
        for gallery_camera in range(1, 4):
            rows = query.camera == query_camera
            columns = gallery.camera == gallery_camera
            problem = distances[np.ix_(rows, columns)], query[rows], gallery[columns]
            expected = evaluation(*problem, camera_filter, trapezoid)
            scored = expected[0] > 0
            if scored.any():
                pairs[query_camera, gallery_camera] = [column[scored] for column in expected]
    return pairs


@pytest.mark.parametrize("levels", [None, 3], ids=["distinct", "ties"])
@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("average_precision", ["mean", "trapezoid"])
def test_equals_the_definition(levels, camera_filter, average_precision):
    absent = 0
    for seed in range(20):
        problem = random_problem(seed, levels, queries=30, images=40)
        options = {
            "protocol": protocol_with(camera_filter),
            "average_precision": average_precision,
        }
        ranking = evaluate([problem[0]], *problem[1:], camera_pairs=True, **options)
        expected = by_definition(*problem, camera_filter, average_precision == "trapezoid")
        assert list(ranking.camera_pairs) == list(expected)
        for pair, outcomes in expected.items():
            assert_outcomes(ranking.camera_pairs[pair], outcomes)
        # Asking for pairs changes nothing else.
        whole = evaluation(*problem, camera_filter, average_precision == "trapezoid")
        assert_outcomes(ranking.retrieval, whole)
        absent += len(expected) < (6 if camera_filter else 9)
    assert absent


def test_golden_case():
    """Two queries of person 1; camera 2 saw it once, camera 3 twice, with others in between."""
    query = Identities(np.array([1, 1]), np.array([1, 3]))
    gallery = Identities(np.array([1, 2, 1, 3, 1, -1]), np.array([2, 2, 3, 3, 1, 2]))
    distances = np.array([[0.1, 0.05, 0.1, 0.2, 0.4, 0.0], [0.5, 0.6, 0.4, 0.2, 0.0, 0.0]])
    pairs = evaluate([distances], query, gallery, camera_pairs=True).camera_pairs
    ranks = {pair: retrieval.first_match.tolist() for pair, retrieval in pairs.items()}
    assert ranks == {(1, 2): [2], (1, 3): [1], (3, 1): [1], (3, 2): [1]}
    figures = {"rank1": 0, "rank5": 1, "rank10": 1, "rank20": 1, "mAP": 0.5, "mINP": 0.5}
    assert pairs[1, 2].metrics() == figures


def test_without_cameras_there_are_no_pairs():
    one = Identities(np.array([1]), np.array([UNKNOWN_CAMERA]))
    options = {"protocol": protocol_with(False), "camera_pairs": True}
    assert evaluate([np.zeros((1, 1))], one, one, **options).camera_pairs == {}


def test_pairs_are_only_made_where_asked_for():
    assert evaluate([random_problem(0)[0]], *random_problem(0)[1:]).camera_pairs == {}
