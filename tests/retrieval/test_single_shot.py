import dataclasses
import itertools

import numpy as np
import pytest

from tests.retrieval.by_definition import in_blocks, protocol_with, random_problem
from tests.retrieval.by_definition import ranking as ranked_images
from tfreid.datasets.protocols import PROTOCOLS
from tfreid.retrieval import Identities, evaluate
from tfreid.retrieval.single_shot import draw_numbers


def with_draws(draws, camera_filter=True):
    return dataclasses.replace(protocol_with(camera_filter), gallery_draws=draws)


def by_definition(problem, numbers, camera_filter):
    """First match `[queries, draws]`: for each draw, ranks a gallery of one image a person."""
    distances, query, gallery = problem
    persons = sorted(set(gallery.person[gallery.person > 0].tolist()))
    found = np.zeros((len(query), len(numbers)), int)
    for row, (draw, number) in itertools.product(range(len(query)), enumerate(numbers)):
        asked = query.person[row], query.camera[row]
        ranked = ranked_images(distances[row], *asked, gallery, camera_filter)
        valid = [image for image, _ in ranked]
        drawn = [image for image in valid if gallery.person[image] == 0]
        for person, share in zip(persons, number, strict=True):
            images = sorted(image for image in valid if gallery.person[image] == person)
            drawn += images[int(share * len(images)) :][:1]
        hits = [match for image, match in ranked if image in drawn]
        found[row, draw] = hits.index(True) + 1 if any(hits) else 0
    return found


@pytest.mark.parametrize("levels", [None, 3], ids=["distinct", "ties"])
@pytest.mark.parametrize("camera_filter", [True, False])
def test_equals_the_definition(levels, camera_filter):
    for seed in range(4):
        problem = random_problem(seed, levels, queries=25, images=50)
        persons = len(set(problem[2].person) - {-1, 0})
        found = by_definition(problem, draw_numbers(seed, 5, persons), camera_filter)
        blocks = in_blocks(problem[0], 3 + 4 * seed)
        protocol = with_draws(5, camera_filter)
        retrieval = evaluate(blocks, *problem[1:], protocol=protocol, seed=seed).retrieval
        np.testing.assert_array_equal(retrieval.first_match, found)
        scored = found[:, 0] > 0
        np.testing.assert_array_equal(retrieval.scored, scored)
        precision = retrieval.average_precision
        np.testing.assert_allclose(precision[scored], (1 / found[scored]).mean(axis=1))
        assert np.isnan(precision[~scored]).all()
        curve = [(found[scored] <= rank).mean() for rank in range(1, 31)]
        np.testing.assert_allclose(retrieval.cmc(30), curve)


def test_approaches_the_mean_over_all_galleries():
    """Two other persons of three images, a distractor, and two valid matches of three."""
    gallery = Identities(
        np.array([1, 1, 1, 2, 2, 2, 3, 3, 3, 0, -1]), np.array([1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 2])
    )
    distances = np.array([0.1, 0.3, 0.6, 0.2, 0.4, 0.9, 0.5, 0.7, 0.8, 0.35, 0.0])
    galleries = itertools.product((1, 2), (3, 4, 5), (6, 7, 8), (9,))
    ranks = [(distances[list(drawn)] <= distances[drawn[0]]).sum() for drawn in galleries]
    one = Identities(np.array([1]), np.array([1]))
    retrieval = evaluate([distances[None]], one, gallery, protocol=with_draws(4000)).retrieval
    exact = [np.mean(np.array(ranks) <= k) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(retrieval.cmc(4), exact, atol=0.02)
    assert retrieval.chance_rank1 == 1 / 4
    assert set(retrieval.metrics()) == {"rank1", "rank5", "rank10", "rank20"}


def test_everyone_is_drawn_from_all_images_alike():
    numbers = draw_numbers(7, 3000, 4)
    assert numbers.shape == (3000, 4)
    counts = np.bincount((numbers * 5).astype(int).ravel())
    np.testing.assert_allclose(counts / numbers.size, 1 / 5, atol=0.015)
    assert (numbers == draw_numbers(7, 3000, 4)).all()
    assert (numbers != draw_numbers(8, 3000, 4)).any()


def test_one_image_a_person_leaves_nothing_to_draw():
    distances, query, _ = random_problem(3, queries=20, images=7)
    gallery = Identities(np.arange(7), np.full(7, 9))
    drawn = evaluate([distances], query, gallery, protocol=with_draws(3)).retrieval
    whole = evaluate([distances], query, gallery).retrieval
    np.testing.assert_array_equal(drawn.first_match, np.tile(whole.first_match, (3, 1)).T)
    np.testing.assert_allclose(drawn.chance, whole.chance)


def test_camera_pairs_draw_among_the_images_of_one_camera():
    problem = random_problem(5, queries=30, images=60)
    protocol = PROTOCOLS["cuhk03_classic"]
    ranking = evaluate([problem[0]], *problem[1:], protocol=protocol, camera_pairs=True)
    whole = evaluate([problem[0]], *problem[1:], protocol=protocol).retrieval
    np.testing.assert_array_equal(ranking.retrieval.first_match, whole.first_match)
    pairs = ranking.camera_pairs
    rows, columns = problem[1].camera == 1, problem[2].camera == 2
    alone = evaluate(
        [problem[0][np.ix_(rows, columns)]],
        problem[1][rows],
        problem[2][columns],
        protocol=protocol,
    ).retrieval
    assert pairs[1, 2].first_match.shape[1] == 100
    np.testing.assert_array_equal(pairs[1, 2].first_match, alone.first_match[alone.scored])
