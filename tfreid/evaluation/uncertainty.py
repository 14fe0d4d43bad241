"""Intervals of an audit's figures, of losses against the original, and between two models."""

from collections.abc import Sequence

import numpy as np

from tfreid.retrieval import Interval, PersonBootstrap, Retrieval


class QueryBootstrap:
    """Intervals of what was measured of the same queries, all of the same draws of persons."""

    def __init__(self, person: np.ndarray, seed: int):
        """Takes whose the queries are, `[queries]`, and the seed of the draws."""
        self._person, self._seed = person, seed
        self._known: dict[bytes, PersonBootstrap] = {}

    def persons(self, *outcomes: Retrieval) -> int:
        """Number of persons whose queries have a match in all outcomes."""
        return self._bootstrap(_scored(outcomes)).persons

    def sum(self, *terms: tuple[int, Retrieval]) -> dict[str, Interval]:
        """Adds figures up, query by query.

        Args:
          *terms: a sign and how the queries fared; `(1, original), (-1, changed)` is a loss.

        Returns:
          `rank1`, and `mAP` unless the gallery is drawn, over the queries that have a match in all
          terms.
        """
        scored = _scored([outcome for _, outcome in terms])
        bootstrap = self._bootstrap(scored)
        of_terms = [(sign, _by_query(outcome[scored])) for sign, outcome in terms]
        return {
            name: bootstrap.mean(sum(sign * values[name] for sign, values in of_terms))
            for name in of_terms[0][1]
        }

    def _bootstrap(self, scored: np.ndarray) -> PersonBootstrap:
        key = scored.tobytes()
        if key not in self._known:
            self._known[key] = PersonBootstrap(self._person[scored], self._seed)
        return self._known[key]


def _scored(outcomes: Sequence[Retrieval]) -> np.ndarray:
    return np.logical_and.reduce([outcome.scored for outcome in outcomes])


def _by_query(outcome: Retrieval) -> dict[str, np.ndarray]:
    """The figures that are means over queries, `[queries]` each."""
    hits = (outcome.first_match == 1).astype(np.float64)
    if hits.ndim == 2:
        return {"rank1": hits.mean(axis=1)}
    return {"rank1": hits, "mAP": outcome.average_precision}
