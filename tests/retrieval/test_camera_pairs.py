import numpy as np
import pytest

from tfreid.retrieval import Identities, evaluate_camera_pairs

UNKNOWN_CAMERA = 0


def by_definition(distances, query, gallery, camera_filter, trapezoid):
    """Plain loops: for each pair of cameras and each query of it, sort what the other one saw."""
    pairs = {}
    for query_camera in range(1, 6):
        for gallery_camera in range(1, 6):
            outcomes = []
            for row, person, camera in zip(distances, query.person, query.camera, strict=True):
                if camera == query_camera and person > 0:
                    seen = [
                        (float(distance), other == person)  # False, the wrong ones, first in ties
                        for distance, other, other_camera in zip(
                            row, gallery.person, gallery.camera, strict=True
                        )
                        if other_camera == gallery_camera
                        and other != -1
                        and not (camera_filter and other == person and other_camera == camera)
                    ]
                    hits = [hit for _, hit in sorted(seen)]
                    if any(hits):
                        outcomes.append((hits.index(True) + 1, precision(hits, trapezoid)))
            if outcomes:
                pairs[query_camera, gallery_camera] = np.array(outcomes).T
    return pairs


def precision(hits, trapezoid):
    found, before, total = 0, 1.0, 0.0
    for rank, hit in enumerate(hits, start=1):
        found += hit
        total += hit * ((before + found / rank) / 2 if trapezoid else found / rank)
        before = found / rank
    return total / found


def random_problem(seed, levels=None):
    """Persons -1 (junk), 0 (distractors) and others; cameras 0 (not known) to 5, few images."""
    random = np.random.default_rng(seed)
    query = Identities(random.integers(-1, 7, 30), random.integers(0, 5, 30))
    gallery = Identities(random.integers(-1, 6, 50), random.integers(0, 6, 50))
    distances = random.random((30, 50))
    if levels:
        distances = np.floor(distances * levels) / levels
    return distances.astype(np.float32), query, gallery


@pytest.mark.parametrize("levels", [None, 3], ids=["distinct", "ties"])
@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("average_precision", ["mean", "trapezoid"])
def test_equals_the_definition(levels, camera_filter, average_precision):
    absent = 0
    for seed in range(25):
        distances, query, gallery = random_problem(seed, levels)
        pairs = evaluate_camera_pairs(
            lambda rows, columns, matrix=distances: [matrix[np.ix_(rows, columns)]],
            query,
            gallery,
            camera_filter=camera_filter,
            average_precision=average_precision,
        )
        expected = by_definition(
            distances, query, gallery, camera_filter, average_precision == "trapezoid"
        )
        assert list(pairs) == list(expected)
        absent += 5 * 5 - len(pairs)
        for pair, (first, precisions) in expected.items():
            np.testing.assert_array_equal(pairs[pair].first_match, first)
            np.testing.assert_allclose(pairs[pair].average_precision, precisions, rtol=1e-12)
    assert absent > 0


def test_golden_case():
    # Person 5, seen by camera 1, is second in camera 2 (behind a distractor) and first in camera 3.
    query = Identities(np.array([5, 5]), np.array([1, 3]))
    gallery = Identities(person=np.array([5, -1, 0, 5, 7, 5]), camera=np.array([1, 2, 2, 2, 3, 3]))
    distances = np.array([[0.0, 0.05, 0.1, 0.2, 0.4, 0.3], [0.5, 0.1, 0.4, 0.2, 0.0, 0.0]])
    pairs = evaluate_camera_pairs(
        lambda rows, columns: [distances[np.ix_(rows, columns)]], query, gallery
    )
    ranks = {pair: retrieval.first_match.tolist() for pair, retrieval in pairs.items()}
    assert ranks == {(1, 2): [2], (1, 3): [1], (3, 1): [1], (3, 2): [1]}
    assert pairs[1, 2].metrics() == {"rank1": 0, "rank5": 1, "rank10": 1, "rank20": 1, "mAP": 0.5}


def test_no_distance_is_asked_for_twice():
    distances, query, gallery = random_problem(1)
    asked = np.zeros(distances.shape, int)

    def count(rows, columns):
        asked[np.ix_(rows, columns)] += 1
        return [distances[np.ix_(rows, columns)]]

    assert evaluate_camera_pairs(count, query, gallery)
    assert asked.max() == 1


def test_without_cameras_there_are_no_pairs():
    one = Identities(np.array([1]), np.array([UNKNOWN_CAMERA]))
    pairs = evaluate_camera_pairs(lambda rows, columns: [], one, one, camera_filter=False)
    assert pairs == {}
