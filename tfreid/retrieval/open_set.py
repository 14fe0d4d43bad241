"""Who is this, or nobody: how often strangers get a name, and where to draw the line against it.

The standard's words (ISO/IEC 19795-1): the false positive identification rate, FPIR, is the share
of searches for persons who are not enrolled that return somebody; the true positive identification
rate, TPIR, the share of searches for persons who are that return them, first and within the line.
FPIR grows with the gallery: each enrolled person is one more chance of an error. How near strangers
come is measured by leaving each person out in turn; `OpenSetSearches` holds the distances, and
tells the rate in galleries of other sizes.

*A smaller gallery* of N of the M persons that a stranger was compared with: if k of them are within
the line, the chance that a random choice of N has one of them is 1 - C(M - k, N) / C(M, N). That is
exact, stranger by stranger. *A larger one*: if all strangers had the same chance p of a match with
a person, the rate would be 1 - (1 - p)^N, with p = mean(k) / M. As strangers differ, it is less,
by Jensen's inequality, and no less than among M persons; the line is drawn for the larger value,
and the interval reaches from one to the other.

Intervals are of persons, who are drawn both as strangers and as those enrolled: the jackknife that
leaves out each in both roles gives the variance, and with it the number of independent searches
that would be as uncertain; of these the interval is Clopper and Pearson's, which holds for counts
as small as they are here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from tfreid.datasets.row import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID
from tfreid.errors import UsageError
from tfreid.retrieval.identities import Identities
from tfreid.retrieval.intervals import CONFIDENCE, Interval, PersonBootstrap

FPIR = 0.01
"""Share of the searches for strangers that may get a name, unless chosen otherwise."""

KEPT = 16
"""Persons nearest to a stranger that are noted: the line is never so far that more are within."""

_NOBODY = (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID)


@dataclass(frozen=True)
class Line:
    """Where "nobody" begins.

    Attributes:
      distance: an image farther than this is nobody's.
      fpir: share of the searches for strangers that may get a name, as asked for.
      low: of the interval (95%) of the share that do.
      high: of the same.
      persons: size of the gallery that it is for.
      tpir: share of the searches for enrolled persons that name them, in a gallery as large as the
        one that was searched; None where nobody enrolled was searched for.
    """

    distance: float
    fpir: float
    low: float
    high: float
    persons: int
    tpir: float | None = None


@dataclass(frozen=True)
class OpenSetSearches:
    """What is nearest to images that are searched for: persons who are enrolled, each left out.

    Attributes:
      nearest: float32 `[strangers, kept]`, the distance to the nearest image of each of the nearest
        persons, ascending.
      whose: int `[strangers, kept]`, these persons.
      person: int `[strangers]`, who is on the picture that is searched for.
      persons: with how many persons, besides the one on it, each was compared.
      own: float32 `[strangers]`, the distance to the nearest image of that person, by another
        camera where cameras are known; infinite where there is none.
    """

    nearest: np.ndarray
    whose: np.ndarray
    person: np.ndarray
    persons: int
    own: np.ndarray

    def line(self, fpir: float, persons: int) -> Line:
        """Draws the line for a gallery.

        Args:
          fpir: share of the searches for strangers that may get a name, above 0 and below 1.
          persons: that are enrolled.

        Raises:
          UsageError: if so low a rate cannot be told of so few strangers.
        """
        if not 0 < fpir < 1 or persons < 1:
            raise UsageError(f"fpir={fpir:g} of {persons} persons: expected a share, and somebody")
        candidates = np.unique(self.nearest[self.nearest < self.nearest[:, -1:].min()])
        low, high = -1, len(candidates)  # The last that keeps to the rate, by halving.
        while high - low > 1:
            middle = (low + high) // 2
            if self._rate(self._events(candidates[middle]), persons) <= fpir:
                low = middle
            else:
                high = middle
        if low < 0:
            one = self._rate(self._events(candidates[0]), persons) if len(candidates) else 1.0
            raise UsageError(
                f"a rate of {fpir:g} with {persons:,} persons enrolled cannot be told of "
                f"{len(self.nearest):,} searches among {self.persons:,} persons: the nearest "
                f"stranger alone makes {one:.2g}. Measure with more persons"
            )
        distance = float(candidates[low])
        rate, named = self.rate(distance, persons), self.found(distance)
        return Line(distance, fpir, rate.low, rate.high, persons, named and named.value)

    def found(self, distance: float) -> Interval | None:
        """Returns the TPIR of a line in a gallery as large as the one that was searched.

        None where nobody who was searched for is in it.
        """
        enrolled = np.isfinite(self.own)
        if not enrolled.any():
            return None
        hits = (self.own <= distance) & (self.own < self.nearest[:, 0])
        return PersonBootstrap(self.person[enrolled]).mean(hits[enrolled].astype(np.float64))

    def rate(self, distance: float, persons: int) -> Interval:
        """Returns the FPIR of a line in a gallery of so many persons, and where it may lie."""
        events = self._events(distance)
        value = self._rate(events, persons)
        low, high = self._clopper_pearson(events, persons, value)
        if persons > self.persons:  # What it is if all errors are of a few strangers.
            least = self._rate(events, self.persons)
            low = min(low, self._clopper_pearson(events, self.persons, least)[0])
        return Interval(value, low, high, is_degenerate=False)

    def to_json(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return {
            "nearest": _shortest(self.nearest).tolist(),
            "whose": self.whose.tolist(),
            "person": self.person.tolist(),
            "persons": self.persons,
            "own": [d if d < np.inf else None for d in _shortest(self.own).tolist()],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "OpenSetSearches":
        """Takes what `to_json` returned.

        Raises:
          ValueError: if it is something else.
        """
        try:
            nearest = np.array(values["nearest"], np.float32)
            whose, person = np.array(values["whose"], int), np.array(values["person"], int)
            persons = int(values["persons"])
            own = np.array([np.inf if d is None else d for d in values["own"]], np.float32)
        except (KeyError, TypeError) as error:
            raise ValueError(f"they are no searches: {error!r}") from None
        is_whole = nearest.ndim == 2 and nearest.size and nearest.shape == whose.shape
        is_whole = is_whole and person.shape == own.shape == nearest.shape[:1]
        if not is_whole or not np.isfinite(nearest).all() or persons < nearest.shape[1]:
            raise ValueError("they are no searches: shapes and numbers do not agree")
        return cls(nearest, whose, person, persons, own)

    def _events(self, distance: float) -> np.ndarray:
        """Returns which of the nearest persons are within a distance, bool `[strangers, kept]`."""
        return self.nearest <= distance

    def _rate(self, events: np.ndarray, persons: int) -> float:
        return float(self._of_counts(events.sum(axis=1), persons))

    def _of_counts(self, counts: np.ndarray, persons: int) -> np.ndarray:
        """Returns the FPIR of strangers each of whom has so many persons within the line."""
        if persons > self.persons:
            return 1 - (1 - counts.mean() / self.persons) ** persons
        return _chance(counts, self.persons, persons).mean()

    def _clopper_pearson(
        self, events: np.ndarray, persons: int, value: float
    ) -> tuple[float, float]:
        size = self._independent_searches(events, persons, value)
        hits, outside = value * size, (1 - CONFIDENCE) / 2
        low = stats.beta.ppf(outside, hits, size - hits + 1) if hits > 0 else 0.0
        high = stats.beta.ppf(1 - outside, hits + 1, size - hits) if hits < size else 1.0
        return float(low), float(high)

    def _independent_searches(self, events: np.ndarray, persons: int, value: float) -> float:
        """Returns how many independent searches would be as uncertain, at most those that are."""
        everybody = np.unique(self.person)
        most = float(len(everybody))
        if not 0 < value < 1 or len(everybody) < 3:
            return most
        counts, without = events.sum(axis=1), []
        for one in everybody:
            others = self.person != one
            left = counts[others] - (events & (self.whose == one))[others].sum(axis=1)
            without.append(float(self._of_counts(left, persons)))
        spread = np.asarray(without) - np.mean(without)
        variance = (len(everybody) - 1) / len(everybody) * np.sum(spread**2)
        independent = value * (1 - value) / max(variance, 1e-12)
        return float(np.clip(independent, 2.0, len(self.person)))


def search_open_set(
    blocks: Iterable[np.ndarray], query: Identities, gallery: Identities
) -> OpenSetSearches:
    """Searches for each query twice: among all others' images, and among its own person's.

    Junk is left out; so are distractors, which are images of nobody in particular.

    Args:
      blocks: float arrays `[block, gallery]` that follow each other in the order of the queries, as
        from `cosine_blocks`; one of them at a time is held.
      query: identities of the queries.
      gallery: identities of the gallery images; where no camera is known all images, queries too,
        have the same.

    Raises:
      UsageError: if there are fewer than two persons in the gallery, or no query.
    """
    columns = np.flatnonzero(~np.isin(gallery.person, _NOBODY))
    columns = columns[np.argsort(gallery.person[columns], kind="stable")]
    enrolled = gallery[columns]
    persons, starts = np.unique(enrolled.person, return_index=True)
    rows = ~np.isin(query.person, _NOBODY)
    if len(persons) < 2 or not rows.any():
        raise UsageError("searches for strangers need two persons in the gallery, and a query")
    has_cameras = len(np.unique(np.append(query.camera, enrolled.camera))) > 1
    kept, parts, start = min(KEPT, len(persons) - 1), [], 0
    for block in blocks:
        part = slice(start, start + len(block))
        start = part.stop
        wanted = query[part][rows[part]]
        distances = block[rows[part]][:, columns]
        is_own = wanted.person[:, None] == enrolled.person
        others = np.minimum.reduceat(np.where(is_own, np.inf, distances), starts, axis=1)
        order = np.argsort(others, axis=1, kind="stable")[:, :kept]
        seen_alike = has_cameras & (wanted.camera[:, None] == enrolled.camera)
        own = np.where(is_own & ~seen_alike, distances, np.inf).min(axis=1)
        parts.append((np.take_along_axis(others, order, axis=1), persons[order], own))
    if start != len(query):
        raise ValueError(f"the distances cover {start} queries; expected {len(query)}")
    nearest, whose, own = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    person = query.person[rows]
    left = len(persons) - np.isin(person, persons)
    kept = min(kept, int(left.min()))
    return OpenSetSearches(
        nearest[:, :kept].astype(np.float32),
        whose[:, :kept],
        person,
        int(left.min()),
        own.astype(np.float32),
    )


def _shortest(values: np.ndarray) -> np.ndarray:
    """Returns float32 as the float64 of the fewest digits that are read as the same float32."""
    return values.astype(np.str_).astype(np.float64)


def _chance(counts: np.ndarray, of: int, persons: int) -> np.ndarray:
    """Chance that a choice of some persons of all has one of those counted: hypergeometric."""
    left = of - counts
    possible = left >= persons
    none = np.zeros(len(counts))
    k = left[possible]
    log = special.gammaln
    none[possible] = np.exp(log(k + 1) - log(k - persons + 1) - log(of + 1) + log(of - persons + 1))
    return 1 - none
