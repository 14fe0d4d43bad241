import weakref

import numpy as np
import pytest

from tests.retrieval.by_definition import (
    assert_outcomes,
    evaluation,
    in_blocks,
    protocol_with,
    random_problem,
)
from tfreid.errors import UsageError
from tfreid.retrieval import Identities, cosine_blocks, evaluate


@pytest.mark.parametrize("levels", [None, 4, 1], ids=["distinct", "ties", "all_tie"])
@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("average_precision", ["mean", "trapezoid"])
def test_equals_the_definition(levels, camera_filter, average_precision):
    unscored = 0
    for seed in range(20):
        problem = random_problem(seed, levels)
        retrieval = evaluate(
            in_blocks(problem[0], 1 + 7 * seed),
            *problem[1:],
            protocol=protocol_with(camera_filter),
            average_precision=average_precision,
        ).retrieval
        trapezoid = average_precision == "trapezoid"
        assert_outcomes(retrieval, evaluation(*problem, camera_filter, trapezoid))
        unscored += (~retrieval.scored).sum()
    assert unscored


def test_equals_the_definition_from_descriptors():
    for seed in range(5):
        _, query, gallery = random_problem(seed, queries=300, images=200)
        random = np.random.default_rng(seed)
        centres = random.normal(size=(10, 24))
        features = [
            centres[who.person] + random.normal(size=(len(who), 24)) for who in (query, gallery)
        ]
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in features]
        retrieval = evaluate(cosine_blocks(*features), query, gallery).retrieval
        expected = evaluation(1 - unit[0] @ unit[1].T, query, gallery, camera_filter=True)
        assert_outcomes(retrieval, expected)


def test_one_camera_leaves_matches_only_without_the_filter():
    distances, query, gallery = random_problem(1)
    one = Identities(query.person, np.ones(40, int)), Identities(gallery.person, np.ones(90, int))
    with pytest.raises(UsageError, match="protocol=no_camera"):
        evaluate([distances], *one)
    retrieval = evaluate([distances], *one, protocol=protocol_with(False)).retrieval
    assert_outcomes(retrieval, evaluation(distances, *one, camera_filter=False))


def test_means_are_those_of_the_scored_queries():
    distances, query, gallery = random_problem(2)
    retrieval = evaluate([distances], query, gallery).retrieval
    first, precision, penalty, _, chance = evaluation(distances, query, gallery, True)
    scored = first > 0
    assert 0 < scored.sum() < 40
    np.testing.assert_array_equal(retrieval.scored, scored)
    expected = {f"rank{k}": (first[scored] <= k).mean() for k in (1, 3, 50)}
    expected |= {"mAP": precision[scored].mean(), "mINP": penalty[scored].mean()}
    assert retrieval.metrics(ranks=(1, 3, 50)) == pytest.approx(expected)
    assert retrieval.chance_rank1 == pytest.approx(chance[scored].mean())
    curve = [(first[scored] <= k).mean() for k in range(1, 101)]
    np.testing.assert_allclose(retrieval.cmc(100), curve)


def golden():
    """One query of person 5, camera 1; the valid ranking is wrong, right, wrong, right, wrong."""
    gallery = Identities(
        person=np.array([5, -1, 0, 5, 7, 5, 8]), camera=np.array([1, 2, 2, 2, 1, 3, 1])
    )
    distances = np.array([[0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]])
    return [distances], Identities(np.array([5]), np.array([1])), gallery


def test_golden_case():
    retrieval = evaluate(*golden()).retrieval
    assert retrieval.first_match[0] == 2
    assert retrieval.chance_rank1 == pytest.approx(2 / 5)
    np.testing.assert_array_equal(retrieval.cmc(3), [0, 1, 1])
    figures = {"rank1": 0, "rank5": 1, "rank10": 1, "rank20": 1}
    figures |= {"mAP": (1 / 2 + 2 / 4) / 2, "mINP": 2 / 4}
    assert retrieval.metrics() == pytest.approx(figures)


def test_golden_case_by_the_toolbox():
    # Trapezoids: (0/1 + 1/2) / 2 at rank 2 and (1/3 + 2/4) / 2 at rank 4.
    retrieval = evaluate(*golden(), average_precision="trapezoid").retrieval
    assert retrieval.mean_average_precision == pytest.approx((1 / 4 + 5 / 12) / 2)


def test_golden_case_without_cameras():
    retrieval = evaluate(*golden(), protocol=protocol_with(False)).retrieval
    assert retrieval.first_match[0] == 1
    assert retrieval.mean_average_precision == pytest.approx((1 / 1 + 2 / 3 + 3 / 5) / 3)
    assert retrieval.mean_inverse_negative_penalty == pytest.approx(3 / 5)


def test_ties_count_against_the_model():
    gallery = Identities(np.array([1, 2, 1, 3]), np.full(4, 2))
    query = Identities(np.array([1]), np.array([1]))
    retrieval = evaluate([np.zeros((1, 4))], query, gallery).retrieval
    assert retrieval.first_match[0] == 3
    assert retrieval.mean_average_precision == pytest.approx((1 / 3 + 2 / 4) / 2)


@pytest.mark.parametrize("block_size", [1, 7, 40])
def test_block_size_does_not_matter(block_size):
    distances, query, gallery = random_problem(2, levels=30)
    options = {"list_length": 8, "camera_pairs": True}
    whole = evaluate([distances], query, gallery, **options)
    parts = evaluate(in_blocks(distances, block_size), query, gallery, **options)
    assert_same(parts.retrieval, whole.retrieval)
    assert_same(parts.lists, whole.lists)
    assert parts.camera_pairs.keys() == whole.camera_pairs.keys()
    for pair, retrieval in parts.camera_pairs.items():
        assert_same(retrieval, whole.camera_pairs[pair])


def assert_same(first, second):
    """Asserts that two results are the same, bit for bit."""
    for name, values in vars(first).items():
        np.testing.assert_array_equal(values, getattr(second, name), err_msg=name)


def test_gallery_order_does_not_matter():
    distances, query, gallery = random_problem(3, levels=5)
    order = np.random.default_rng(0).permutation(len(gallery))
    shuffled = evaluate([distances[:, order]], query, gallery[order]).retrieval
    assert_same(shuffled, evaluate([distances], query, gallery).retrieval)


def test_descriptors_that_are_all_the_same_score_worst():
    _, query, gallery = random_problem(4, queries=300, images=1100)
    same = np.full((1100, 7), 0.3, np.float32)
    retrieval = evaluate(cosine_blocks(same[:300], same), query, gallery).retrieval
    ties = evaluate([np.zeros((300, 1100))], query, gallery).retrieval
    assert_same(retrieval, ties)
    assert retrieval.metrics()["rank1"] == 0


def test_only_one_block_is_held():
    distances, query, gallery = random_problem(5)

    def blocks():
        before = weakref.ref(set())
        for start in range(0, 40, 10):
            assert before() is None
            made = [distances[start : start + 10].copy()]
            before = weakref.ref(made[0])
            yield made.pop()

    evaluate(blocks(), query, gallery, list_length=3, camera_pairs=True)


def test_input_is_left_as_it_was():
    distances, query, gallery = random_problem(4)
    before = distances.copy()
    evaluate([distances], query, gallery, list_length=5, camera_pairs=True)
    np.testing.assert_array_equal(distances, before)


def test_chance_is_the_mean_rank1_of_random_rankings():
    _, query, gallery = random_problem(5)
    random = np.random.default_rng(6)
    rank1 = []
    for _ in range(200):
        distances = random.random((len(query), len(gallery)))
        retrieval = evaluate([distances], query, gallery).retrieval
        rank1.append(retrieval.metrics()["rank1"])
    assert np.mean(rank1) == pytest.approx(retrieval.chance_rank1, abs=0.015)


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
