"""Intervals of figures: how much they would change with other persons.

The queries of one person are alike, so it is persons that are drawn anew, with replacement, each
with all of its queries (a cluster bootstrap). Differences are taken query by query before they are
averaged: what both figures share, hard persons for example, drops out of them.

The interval is the percentile one: it stays within what the figure can be, needs no formula for
the spread of a mean average precision, and has the same ends whichever way a figure is written.
With few persons it would be too narrow; the percentiles lie farther out by as much as Student's t
does (the expanded percentile interval of T. Hesterberg, What Teachers Should Know About the
Bootstrap, The American Statistician, 2015).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

CONFIDENCE = 0.95
DRAWS = 2000
_BLOCK_DRAWS = 100


@dataclass(frozen=True)
class Interval:
    """A mean over queries and where it would lie with other persons like these.

    Attributes:
      value: the mean.
      low: lower end, at `CONFIDENCE`; None where there is a single person.
      high: upper end.
      is_degenerate: whether all persons fared alike, so that the ends are the value and say
        nothing of other persons.
    """

    value: float
    low: float | None
    high: float | None
    is_degenerate: bool

    @property
    def is_certain(self) -> bool:
        """Whether there are ends that tell of other persons."""
        return self.low is not None and not self.is_degenerate

    @property
    def negated(self) -> "Interval":
        """The interval of the negative."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Interval(-self.value, low, high, self.is_degenerate)

    def excludes(self, limit: float) -> bool:
        """Whether a value lies outside; never where nothing is certain."""
        return self.is_certain and not self.low <= limit <= self.high

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict for JSON."""
        return asdict(self)


class PersonBootstrap:
    """Draws the persons of queries; all figures are of the same draws."""

    def __init__(self, person: np.ndarray, seed: int = 0, draws: int = DRAWS):
        """Sorts the queries by person.

        Args:
          person: `[queries]` integers, the person of each query.
          seed: of the draws; the same seed draws the same of as many persons.
          draws: number of draws.

        Raises:
          ValueError: if there are no queries.
        """
        if not len(person):
            raise ValueError("there are no queries to draw from")
        _, self._place, self._queries = np.unique(person, return_inverse=True, return_counts=True)
        self._seed, self._draws = seed, draws

    @property
    def persons(self) -> int:
        """Number of different persons."""
        return len(self._queries)

    def mean(self, values: np.ndarray) -> Interval:
        """Averages a figure over the queries.

        Args:
          values: `[queries]` floats, of each query; or their differences.

        Raises:
          ValueError: if there is not one number a query.
        """
        values = np.asarray(values, np.float64)
        if values.shape != self._place.shape or not np.isfinite(values).all():
            raise ValueError(f"values must be {len(self._place)} finite numbers, one a query")
        value = float(values.mean())
        if self.persons == 1:
            return Interval(value, None, None, is_degenerate=True)
        sums = np.bincount(self._place, values)
        of_persons = sums / self._queries
        if np.ptp(of_persons) <= 1e-12:
            return Interval(value, value, value, is_degenerate=True)
        drawn = np.concatenate([(w @ sums) / (w @ self._queries) for w in self._weights])
        tail = _tail(self.persons)
        low, high = np.quantile(drawn, [tail, 1 - tail]).tolist()
        return Interval(value, low, high, is_degenerate=False)

    @cached_property
    def _weights(self) -> list[np.ndarray]:
        """How often each draw has each person, `[block, persons]`; a byte or two each."""
        random = np.random.default_rng(self._seed)
        even = np.full(self.persons, 1 / self.persons)
        starts = range(0, self._draws, _BLOCK_DRAWS)
        sizes = [min(_BLOCK_DRAWS, self._draws - start) for start in starts]
        return [random.multinomial(self.persons, even, n).astype(np.uint16) for n in sizes]


def over_repeats(values: Sequence[float]) -> Interval:
    """Averages a figure over independent repetitions, such as trainings of different seeds.

    The interval is Student's t: where the mean of any number of repetitions would lie.

    Args:
      values: one a repetition, at least one; a single one has no interval.
    """
    value = float(np.mean(values))
    if len(values) == 1:
        return Interval(value, None, None, is_degenerate=True)
    deviation = np.std(values, ddof=1) / np.sqrt(len(values))
    half = float(special.stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2) * deviation)
    return Interval(value, value - half, value + half, is_degenerate=half == 0)


def _tail(persons: int) -> float:
    """Share of the draws to leave out at either end."""
    quantile = special.stdtrit(persons - 1, (1 - CONFIDENCE) / 2)
    return float(special.ndtr(quantile * np.sqrt(persons / (persons - 1))))


def share_that_could_be_missed(persons: int) -> float:
    """Share of persons that may do otherwise though none of these does, at `CONFIDENCE`.

    If a share s of all persons did otherwise, none of n would with probability (1 - s)^n.

    Args:
      persons: how many there are, at least 1.
    """
    return 1 - (1 - CONFIDENCE) ** (1 / persons)
