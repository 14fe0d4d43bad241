import numpy as np
import pytest

from tfreid.errors import UsageError
from tfreid.retrieval import Identities, evaluate, ranked_list


def slow_reference(distances, query, gallery, camera_filter, trapezoid):
    """Market-1501's protocol in plain Python: one full ranking per query."""
    first, precision, chance = [], [], []
    for row, person, camera in zip(distances, query.person, query.camera, strict=True):
        ranking = []
        for distance, other, other_camera in zip(row, gallery.person, gallery.camera, strict=True):
            matches = other == person and person not in (-1, 0)
            if other == -1 or (camera_filter and matches and other_camera == camera):
                continue
            ranking.append((float(distance), bool(matches)))
        ranking.sort()  # at the same distance False, the wrong ones, come first
        hits = [match for _, match in ranking]
        total = sum(hits)
        if not total:
            first.append(0), precision.append(np.nan), chance.append(np.nan)
            continue
        found, previous, area = 0, 1.0, 0.0
        for rank, hit in enumerate(hits, start=1):
            found += hit
            area += hit * ((previous + found / rank) / 2 if trapezoid else found / rank) / total
            previous = found / rank
        first.append(hits.index(True) + 1), precision.append(area), chance.append(total / len(hits))
    return np.array(first), np.array(precision), np.array(chance)


def random_problem(seed, levels=None):
    random = np.random.default_rng(seed)
    query = Identities(random.integers(-1, 9, 40), random.integers(1, 4, 40))
    gallery = Identities(random.integers(-1, 8, 90), random.integers(1, 4, 90))
    distances = random.random((40, 90))
    if levels:
        distances = np.floor(distances * levels) / levels
    return distances.astype(np.float32), query, gallery


@pytest.mark.parametrize("levels", [None, 4], ids=["distinct", "ties"])
@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("average_precision", ["mean", "trapezoid"])
def test_equals_the_slow_reference(levels, camera_filter, average_precision):
    problem = random_problem(1, levels)
    result = evaluate(
        [problem[0]],
        *problem[1:],
        camera_filter=camera_filter,
        average_precision=average_precision,
    )
    expected = slow_reference(*problem, camera_filter, average_precision == "trapezoid")
    np.testing.assert_array_equal(result.first_match, expected[0])
    np.testing.assert_allclose(result.average_precision, expected[1], rtol=1e-12)
    np.testing.assert_allclose(result.chance, expected[2], rtol=1e-12)
    assert 0 < result.scored.sum() < len(result.scored)


def golden():
    """One query of person 5, camera 1; the valid ranking is wrong, right, wrong, right, wrong."""
    gallery = Identities(
        person=np.array([5, -1, 0, 5, 7, 5, 8]), camera=np.array([1, 2, 2, 2, 1, 3, 1])
    )
    distances = np.array([[0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]])
    return distances, Identities(np.array([5]), np.array([1])), gallery


def test_golden_case():
    distances, query, gallery = golden()
    result = evaluate([distances], query, gallery)
    assert result.first_match[0] == 2
    assert result.mean_average_precision == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert result.chance_rank1 == pytest.approx(2 / 5)
    np.testing.assert_array_equal(result.cmc(3), [0, 1, 1])
    metrics = {"rank1": 0, "rank5": 1, "rank10": 1, "rank20": 1, "mAP": 0.5}
    assert result.metrics() == pytest.approx(metrics)


def test_golden_case_by_the_toolbox():
    # Trapezoids: (0/1 + 1/2) / 2 at rank 2 and (1/3 + 2/4) / 2 at rank 4.
    distances, query, gallery = golden()
    result = evaluate([distances], query, gallery, average_precision="trapezoid")
    assert result.mean_average_precision == pytest.approx((1 / 4 + 5 / 12) / 2)


def test_golden_case_without_cameras():
    distances, query, gallery = golden()
    result = evaluate([distances], query, gallery, camera_filter=False)
    assert result.first_match[0] == 1
    assert result.mean_average_precision == pytest.approx((1 / 1 + 2 / 3 + 3 / 5) / 3)


def test_ties_count_against_the_model():
    gallery = Identities(np.array([1, 2, 1, 3]), np.full(4, 2))
    result = evaluate([np.zeros((1, 4))], Identities(np.array([1]), np.array([1])), gallery)
    assert result.first_match[0] == 3
    assert result.mean_average_precision == pytest.approx((1 / 3 + 2 / 4) / 2)


@pytest.mark.parametrize("block_size", [1, 7, 40])
def test_block_size_does_not_matter(block_size):
    distances, query, gallery = random_problem(2)
    whole = evaluate([distances], query, gallery)
    blocks = (distances[start : start + block_size] for start in range(0, 40, block_size))
    result = evaluate(blocks, query, gallery)
    np.testing.assert_array_equal(result.first_match, whole.first_match)
    np.testing.assert_array_equal(result.average_precision, whole.average_precision)


def test_gallery_order_does_not_matter():
    distances, query, gallery = random_problem(3, levels=5)
    order = np.random.default_rng(0).permutation(len(gallery))
    shuffled = Identities(gallery.person[order], gallery.camera[order])
    result = evaluate([distances[:, order]], query, shuffled)
    whole = evaluate([distances], query, gallery)
    np.testing.assert_array_equal(result.average_precision, whole.average_precision)


def test_input_is_left_as_it_was():
    distances, query, gallery = random_problem(4)
    before = distances.copy()
    evaluate([distances], query, gallery)
    np.testing.assert_array_equal(distances, before)


def test_chance_is_the_mean_rank1_of_random_rankings():
    _, query, gallery = random_problem(5)
    random = np.random.default_rng(6)
    rank1 = []
    for _ in range(200):
        result = evaluate([random.random((len(query), len(gallery)))], query, gallery)
        rank1.append(result.metrics()["rank1"])
    assert np.mean(rank1) == pytest.approx(result.chance_rank1, abs=0.015)


@pytest.mark.parametrize("levels", [None, 4], ids=["distinct", "ties"])
def test_ranked_list_agrees_with_the_first_match(levels):
    distances, query, gallery = random_problem(7, levels)
    result = evaluate([distances], query, gallery)
    for row in range(len(query)):
        identity = query.person[row], query.camera[row]
        columns, correct = ranked_list(distances[row], *identity, gallery, length=90)
        assert (gallery.person[columns] != -1).all()
        assert (np.diff(distances[row, columns]) >= 0).all()
        first = correct.argmax() + 1 if correct.any() else 0
        assert first == result.first_match[row]
        shorter = ranked_list(distances[row], *identity, gallery, length=6)
        np.testing.assert_array_equal(shorter, (columns[:6], correct[:6]))


def test_says_when_no_query_has_a_match():
    one = Identities(np.array([1]), np.array([1]))
    with pytest.raises(UsageError, match="camera filter off"):
        evaluate([np.zeros((1, 1))], one, one)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        (np.zeros((3, 4)), "shape"),
        (np.zeros((2, 3)), "shape"),
        (np.zeros((1, 4)), "cover 1 queries; expected 2"),
        (np.full((2, 4), np.nan), "not a number"),
    ],
)
def test_refuses_wrong_distances(distances, message):
    query = Identities(np.array([1, 2]), np.array([1, 1]))
    gallery = Identities(np.array([1, 2, 1, 2]), np.array([2, 2, 2, 2]))
    with pytest.raises(ValueError, match=message):
        evaluate([distances], query, gallery)


def test_refuses_an_unknown_average_precision():
    one = Identities(np.array([1]), np.array([1]))
    with pytest.raises(ValueError, match="trapezoid"):
        evaluate([np.zeros((1, 1))], one, one, average_precision="matlab")
