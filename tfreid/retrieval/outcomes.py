"""How each query fared, and the figures of a whole test."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

RANKS = (1, 5, 10, 20)


@dataclass(frozen=True)
class Retrieval:
    """How each query fared.

    Attributes:
      first_match: `[queries]` int64, rank of the nearest true match, from 1; 0 where the query
        has no valid match. `[queries, draws]` where the gallery is drawn.
      average_precision: `[queries]` float64; not a number where the query has no valid match.
        Where the gallery is drawn, the mean over the draws of 1 / rank.
      inverse_negative_penalty: `[queries]` float64, number of true matches / rank of the farthest
        (Ye et al., Deep Learning for Person Re-identification, TPAMI 2021); not a number where
        the query has no valid match.
      matches: `[queries]` int64, number of valid true matches, before any draw.
      chance: `[queries]` float64, probability that a random ranking begins with a true match.
    """

    first_match: np.ndarray
    average_precision: np.ndarray
    inverse_negative_penalty: np.ndarray
    matches: np.ndarray
    chance: np.ndarray

    @classmethod
    def unscored(cls, queries: int, draws: int = 0) -> "Retrieval":
        """Returns one in which no query has a valid match."""
        first_match = np.zeros((queries, draws) if draws else queries, np.int64)
        nan = np.full(queries, np.nan)
        return cls(first_match, nan, nan.copy(), np.zeros(queries, np.int64), nan.copy())

    def __getitem__(self, chosen: np.ndarray) -> "Retrieval":
        """Returns the outcomes of some queries, by their indices or by a mask."""
        return Retrieval(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def scored(self) -> np.ndarray:
        """`[queries]` bool: the queries that have a valid match."""
        return self.matches > 0

    @property
    def mean_average_precision(self) -> float:
        """Mean of the average precision over the scored queries, a fraction."""
        return float(self.average_precision[self.scored].mean())

    @property
    def mean_inverse_negative_penalty(self) -> float:
        """Mean of the inverse negative penalty over the scored queries, a fraction."""
        return float(self.inverse_negative_penalty[self.scored].mean())

    @property
    def chance_rank1(self) -> float:
        """Expected rank-1 of a random ranking under the same protocol, a fraction."""
        return float(self.chance[self.scored].mean())

    def cmc(self, max_rank: int) -> np.ndarray:
        """Cumulative match characteristic.

        Args:
          max_rank: length of the curve.

        Returns:
          `[max_rank]` float64: the fraction of scored queries with a match at rank <= 1, 2, ...;
          where the gallery is drawn, its mean over the draws.
        """
        first = np.minimum(self.first_match[self.scored].ravel(), max_rank + 1)
        found = np.bincount(first, minlength=max_rank + 2)[1:-1]
        return np.cumsum(found) / len(first)

    def metrics(self, ranks: Sequence[int] = RANKS) -> dict[str, float]:
        """Returns the usual figures, as fractions.

        Args:
          ranks: the ranks of the CMC that are wanted.

        Returns:
          `rank<k>` for each rank; `mAP` and `mINP` too, unless the gallery is drawn: with one
          image a person they say what the CMC says.
        """
        curve = self.cmc(max(ranks))
        figures = {f"rank{rank}": float(curve[rank - 1]) for rank in ranks}
        if self.first_match.ndim == 2:
            return figures
        return {
            **figures,
            "mAP": self.mean_average_precision,
            "mINP": self.mean_inverse_negative_penalty,
        }
