"""Searches for strangers, against plain loops, and against worlds whose truth is known."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from tfreid.datasets.row import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID
from tfreid.errors import UsageError
from tfreid.retrieval import Identities, OpenSetSearches, search_open_set


def world(random, persons: int, images: int, unlike: float = 0.0) -> np.ndarray:
    """Descriptors of unit length, `[persons, images, 12]`; some persons vary more than others."""
    centres = random.normal(size=(persons, 1, 12)) * np.exp(
        unlike * random.normal(size=(persons, 1, 1))
    )
    found = centres + 0.3 * random.normal(size=(persons, images, 12))
    return found / np.linalg.norm(found, axis=2, keepdims=True)


def searched(descriptors: np.ndarray) -> OpenSetSearches:
    persons, images, _ = descriptors.shape
    flat = descriptors.reshape(persons * images, -1)
    who = Identities(
        np.repeat(np.arange(1, persons + 1), images), np.tile(np.arange(images), persons)
    )
    return search_open_set([1 - flat @ flat.T], who, who)


def true_rate(random, distance: float, persons: int, images: int, unlike: float) -> float:
    """Share of strangers who get a name in new galleries of a size."""
    found = []
    for _ in range(4):
        gallery = world(random, persons, images, unlike).reshape(persons * images, -1)
        strangers = world(random, 500, 1, unlike)[:, 0]
        found.append(((1 - strangers @ gallery.T).min(axis=1) <= distance).mean())
    return float(np.mean(found))


def test_each_query_is_searched_for_among_others_and_its_own():
    random = np.random.default_rng(0)
    query = Identities(np.array([1, 2, 3, 9, JUNK_PERSON_ID]), np.array([1, 2, 1, 1, 1]))
    gallery = Identities(
        np.array([1, 1, 2, 2, 3, JUNK_PERSON_ID, DISTRACTOR_PERSON_ID, 4, 4]),
        np.array([1, 2, 1, 2, 1, 3, 3, 2, 3]),
    )
    distances = random.uniform(size=(5, 9)).astype(np.float32)
    found = search_open_set(np.split(distances, [2]), query, gallery)
    assert (found.persons, len(found.person)) == (3, 4)
    for row, (person, camera) in enumerate(zip(query.person[:4], query.camera[:4], strict=True)):
        others, own = {}, np.inf
        for column in range(9):
            other = gallery.person[column]
            if other == person and gallery.camera[column] != camera:
                own = min(own, distances[row, column])
            if other > 0 and other != person:
                others[other] = min(others.get(other, 9), distances[row, column])
        nearest = sorted(others, key=others.get)[: found.nearest.shape[1]]
        assert found.whose[row].tolist() == nearest
        np.testing.assert_array_equal(found.nearest[row], [others[p] for p in nearest])
        assert found.own[row] == own


def test_a_query_before_the_only_camera_of_the_gallery_is_no_search_for_its_own():
    gallery = Identities(np.array([1, 2, 3]), np.array([1, 1, 1]))
    distances = np.full((2, 3), 0.5, np.float32)
    mixed = search_open_set([distances], Identities(np.array([1, 2]), np.array([1, 2])), gallery)
    np.testing.assert_array_equal(mixed.own, [np.inf, 0.5])
    unknown = Identities(np.array([1, 2]), np.array([1, 1]))
    np.testing.assert_array_equal(search_open_set([distances], unknown, gallery).own, [0.5, 0.5])


def test_the_rate_in_a_smaller_gallery_is_that_of_all_choices():
    searches = searched(world(np.random.default_rng(1), 8, 2))
    distance = float(np.median(searches.nearest[:, 0]))
    for persons in (1, 3, 7):
        hits = []
        for row, stranger in enumerate(searches.person):
            others = [p for p in range(1, 9) if p != stranger]
            near = {*searches.whose[row][searches.nearest[row] <= distance]}
            choices = list(itertools.combinations(others, persons))
            hits.append(sum(bool(near & {*choice}) for choice in choices) / len(choices))
        assert searches.rate(distance, persons).value == pytest.approx(np.mean(hits))


def test_the_rate_in_a_larger_gallery_lies_between_its_bounds():
    searches = searched(world(np.random.default_rng(2), 30, 2))
    distance = float(np.quantile(searches.nearest[:, 0], 0.05))
    pairs = (searches.nearest <= distance).sum() / (len(searches.person) * searches.persons)
    found = searches.rate(distance, 300)
    assert found.value == pytest.approx(1 - (1 - pairs) ** 300)
    assert found.low <= searches.rate(distance, searches.persons).value <= found.high


def test_the_line_is_the_farthest_that_keeps_to_the_rate():
    searches = searched(world(np.random.default_rng(3), 50, 4))
    for fpir, persons in itertools.product((0.04, 0.1), (10, 49, 100)):
        line = searches.line(fpir, persons)
        assert searches.rate(line.distance, persons).value <= fpir
        farther = searches.nearest[searches.nearest > line.distance].min()
        assert searches.rate(float(farther), persons).value > fpir
        assert line.low <= searches.rate(line.distance, persons).value <= line.high


@pytest.mark.parametrize(("persons", "size"), [(100, 25), (100, 100), (200, 600)])
@pytest.mark.parametrize("unlike", [0.0, 0.8])
def test_the_true_rate_lies_in_the_interval_as_often_as_it_says(persons, size, unlike):
    random, inside, rates = np.random.default_rng(4), [], []
    for _ in range(20):
        line = searched(world(random, persons, 3, unlike)).line(0.05, size)
        rate = true_rate(random, line.distance, size, 3, unlike)
        inside.append(line.low <= rate <= line.high)
        rates.append(rate)
    assert sum(inside) >= 17  # Of 20 at 95%: fewer by chance once in 60 times.
    assert np.mean(rates) == pytest.approx(0.05, abs=0.02)


def test_a_rate_that_few_searches_cannot_tell_is_refused():
    searches = searched(world(np.random.default_rng(5), 20, 2))
    refused = r"a rate of 0\.001 with 1,000 persons.* cannot be told.*\. Measure with more persons$"
    with pytest.raises(UsageError, match=refused):  # Not every command has a rate to ask for.
        searches.line(0.001, 1000)
    with pytest.raises(UsageError, match="expected a share"):
        searches.line(1.0, 10)


def test_who_is_enrolled_is_found_first_and_within_the_line():
    searches = searched(world(np.random.default_rng(6), 30, 3))
    distance = float(np.quantile(searches.own, 0.6))
    hits = [
        own <= distance and own < nearest
        for own, nearest in zip(searches.own, searches.nearest[:, 0], strict=True)
    ]
    found = searches.found(distance)
    assert found.value == pytest.approx(np.mean(hits))
    assert found.low < found.value < found.high


def test_it_survives_json():
    searches = searched(world(np.random.default_rng(7), 20, 2))
    lonely = OpenSetSearches(
        *(searches.nearest, searches.whose, searches.person, searches.persons),
        own=np.where(np.arange(40) == 3, np.inf, searches.own).astype(np.float32),
    )
    again = OpenSetSearches.from_json(json.loads(json.dumps(lonely.to_json())))
    assert math.isinf(again.own[3])
    assert again.line(0.1, 19) == lonely.line(0.1, 19)
    np.testing.assert_array_equal(again.nearest, lonely.nearest)
    np.testing.assert_array_equal(again.own, lonely.own)


def test_a_line_among_tiny_distances_survives_json():
    """Rounded to six decimals they would be alike, and the line would lie elsewhere."""
    searches = searched(world(np.random.default_rng(7), 20, 2))
    tiny = dataclasses.replace(searches, nearest=searches.nearest * np.float32(1e-5))
    again = OpenSetSearches.from_json(json.loads(json.dumps(tiny.to_json())))
    assert again.line(0.1, 19) == tiny.line(0.1, 19)


@pytest.mark.parametrize(
    "change",
    [{"nearest": [[0.1]]}, {"own": None}, {"persons": "many"}, {"whose": []}, {"nearest": [["x"]]}],
)
def test_other_json_is_refused(change):
    values = searched(world(np.random.default_rng(8), 5, 2)).to_json() | change
    with pytest.raises(ValueError, match=r"are no searches|invalid literal|could not convert"):
        OpenSetSearches.from_json(values)


def test_one_person_is_no_gallery():
    alone = Identities(np.array([1, 1]), np.array([1, 2]))
    with pytest.raises(UsageError, match="need two persons"):
        search_open_set([np.zeros((2, 2))], alone, alone)
