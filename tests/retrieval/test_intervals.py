"""Intervals against a plain loop over draws, and what cannot be said with few persons."""

import numpy as np
import pytest
from scipy import stats

from tfreid.retrieval import PersonBootstrap, over_repeats
from tfreid.retrieval.intervals import share_that_could_be_missed

PERSON = np.array([7, 7, 7, 3, 9, 9, 4, 4, 4, 4])
VALUES = np.array([1, 0, 1, 0, 1, 1, 0.5, 0, 0, 1])


def by_definition(person, values, seed, draws):
    """One draw after the other: persons with replacement, the mean over all their queries."""
    persons = np.unique(person)
    random, means = np.random.default_rng(seed), []
    for _ in range(draws):
        times = random.multinomial(len(persons), np.full(len(persons), 1 / len(persons)))
        drawn = [
            values[person == one] for one, n in zip(persons, times, strict=True) for _ in range(n)
        ]
        means.append(np.concatenate(drawn).mean())
    n = len(persons)
    tail = stats.norm.cdf(stats.t.ppf(0.025, n - 1) * np.sqrt(n / (n - 1)))
    return np.quantile(means, [tail, 1 - tail])


@pytest.mark.parametrize("seed", [0, 3])
def test_intervals_are_those_of_a_plain_loop(seed):
    found = PersonBootstrap(PERSON, seed, draws=250).mean(VALUES)
    low, high = by_definition(PERSON, VALUES, seed, 250)
    assert found.value == pytest.approx(VALUES.mean())
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.low < found.value < found.high
    assert found.is_certain


def test_queries_of_a_person_count_as_one_person():
    # Ten times the queries of the same persons tell no more of other persons.
    once, often = (
        PersonBootstrap(np.repeat(PERSON, times)).mean(np.repeat(VALUES, times))
        for times in (1, 10)
    )
    assert (once.low, once.high) == pytest.approx((often.low, often.high))
    others = PersonBootstrap(np.arange(100)).mean(np.repeat(VALUES, 10))
    assert others.high - others.low < (once.high - once.low) / 2


def test_differences_are_paired():
    random = np.random.default_rng(0)
    hard = random.random(400) < 0.5
    person = np.repeat(np.arange(50), 8)
    changed = hard * (random.random(400) < 0.9)
    bootstrap = PersonBootstrap(person)
    of_each = [bootstrap.mean(values.astype(float)) for values in (hard, changed)]
    loss = bootstrap.mean(hard.astype(float) - changed)
    assert loss.value == pytest.approx(of_each[0].value - of_each[1].value)
    assert loss.high - loss.low < (of_each[0].high - of_each[0].low) / 2


def test_what_all_persons_share_is_not_certain():
    equal = PersonBootstrap(PERSON).mean(np.zeros(10))
    assert (equal.value, equal.low, equal.high, equal.is_degenerate) == (0, 0, 0, True)
    alone = PersonBootstrap(np.zeros(3, int)).mean(np.array([1, 0, 1.0]))
    assert (alone.low, alone.high) == (None, None)
    for interval in (equal, alone):
        assert not interval.is_certain
        assert not interval.excludes(0.9)


def test_an_interval_excludes_what_lies_outside():
    interval = PersonBootstrap(PERSON).mean(VALUES)
    assert not interval.excludes(interval.value)
    assert interval.excludes(interval.high + 0.01)
    assert interval.excludes(interval.low - 0.01)


def test_what_could_be_missed():
    # The rule of three: 3 / n.
    assert share_that_could_be_missed(300) == pytest.approx(0.01, rel=0.01)
    assert (1 - share_that_could_be_missed(8)) ** 8 == pytest.approx(0.05)


@pytest.mark.parametrize("values", [np.zeros(3), np.full(10, np.nan)])
def test_values_that_are_not_of_each_query_are_refused(values):
    with pytest.raises(ValueError, match="10 finite numbers"):
        PersonBootstrap(PERSON).mean(values)


def test_no_queries_are_refused():
    with pytest.raises(ValueError, match="no queries"):
        PersonBootstrap(np.array([], int))


def test_intervals_over_repeats_are_students():
    values = [0.6, 0.8, 0.75]
    found = over_repeats(values)
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    np.testing.assert_allclose([found.value, found.low, found.high], [np.mean(values), low, high])
    assert found.is_certain
    assert not over_repeats([0.5]).is_certain
    assert not over_repeats([0.5, 0.5]).is_certain
