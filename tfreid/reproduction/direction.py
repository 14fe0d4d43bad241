"""Whether a difference of two of our figures has the sign that the paper's has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tfreid.retrieval import over_repeats

FEWEST_SEEDS = 3
"""With fewer the spread over the seeds is not known well enough to tell anything."""

AGREES, DISAGREES, UNKNOWN = "agrees", "does not agree", "cannot be told"


@dataclass(frozen=True)
class OverSeeds:
    """Values over seeds.

    Attributes:
      values: one a seed, at least one.
    """

    values: Sequence[float]

    @property
    def mean(self) -> float:
        """Of the values."""
        return over_repeats(self.values).value

    @property
    def half_width(self) -> float | None:
        """Of the interval of the mean, by the t distribution; None for fewer than three seeds."""
        if len(self.values) < FEWEST_SEEDS:
            return None
        interval = over_repeats(self.values)
        return interval.high - interval.value

    @property
    def sign(self) -> int:
        """Of the mean; 0 where the interval holds 0, or is not known."""
        if self.half_width is None or abs(self.mean) <= self.half_width:
            return 0
        return 1 if self.mean > 0 else -1


def paired(first: Mapping[str, float], second: Mapping[str, float]) -> OverSeeds | None:
    """Returns what the first is more than the second, seed by seed, of seeds that both have."""
    shared = [seed for seed in first if seed in second]
    return OverSeeds([first[seed] - second[seed] for seed in shared]) if shared else None


def published(pairs: Mapping[str, tuple[str, str]]) -> dict[str, Decimal]:
    """Returns the differences of printed figures, with their digits, by data set."""
    return {data: Decimal(first) - Decimal(second) for data, (first, second) in pairs.items()}


def verdict(said: Sequence[Decimal | int], ours: OverSeeds | None) -> str:
    """Compares the direction of our difference with the paper's.

    Args:
      said: the paper's differences, or their signs, on each of its data sets.
      ours: our difference, if both rows have figures of a seed.

    Returns:
      One of `AGREES`, `DISAGREES`, `UNKNOWN`, the last with the reason.
    """
    signs = {(value > 0) - (value < 0) for value in said}
    if len(signs) > 1:
        return f"{UNKNOWN}: the paper's data sets differ"
    if not signs:
        return f"{UNKNOWN}: the paper has no figures to compare"
    if signs == {0}:
        return f"{UNKNOWN}: the paper's figures do not differ"
    if ours is None:
        return f"{UNKNOWN}: not run"
    if len(ours.values) < FEWEST_SEEDS:
        return f"{UNKNOWN}: {len(ours.values)} of {FEWEST_SEEDS} seeds"
    if not ours.sign:
        return UNKNOWN
    return AGREES if {ours.sign} == signs else DISAGREES
