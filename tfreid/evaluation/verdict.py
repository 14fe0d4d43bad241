"""What can be said of a model's loss when the background changes, and what cannot."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfreid.evaluation.result import CHANGED_BACKGROUNDS, AuditResult
from tfreid.inputs import readable
from tfreid.retrieval import Interval
from tfreid.retrieval.intervals import share_that_could_be_missed

FEW_PERSONS = 10
"""With fewer, other persons may give quite other figures."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Verdict:
    """How much rank-1 a model loses when the background changes.

    Attributes:
      variant: what it was measured on: random backgrounds, mean ones where there are no random.
      original: rank-1 of the original images, those with masks; a fraction.
      changed: rank-1 of the variant.
      loss: the first less the second, with its interval.
      persons: how many persons the queries show.
    """

    variant: str
    original: float
    changed: float
    loss: Interval
    persons: int

    @property
    def sentence(self) -> str:
        """What can be said, in one or two sentences."""
        change = "falls" if self.loss.value > -_ROUNDING else "rises"
        facts = (
            f"On {readable(self.variant)} images rank-1 {change} from {_points(self.original)} to "
            f"{_points(self.changed)}, by {_points(abs(self.loss.value))} points"
        )
        return f"{facts}{self._meaning()}"

    def _meaning(self) -> str:
        loss, people = self.loss, f"{self.persons:,} persons"
        if loss.low is None:
            return ". All queries show one person: nothing can be said of others."
        if loss.is_degenerate:
            share = share_that_could_be_missed(self.persons)
            return (
                f", for each of {people} alike: no interval can be given, and {100 * share:.0f}% "
                "of persons like these could fare otherwise without one of them being among these."
            )
        text = f" (95% interval {in_points(loss)}, {people}). "
        if loss.low > _ROUNDING:
            text += "The model uses the background."
        elif loss.high < -_ROUNDING:
            text += "It finds persons better without their background."
        else:
            text += "This cannot be told from no change"
            if loss.high > _ROUNDING:
                text += f", and a loss of up to {_points(loss.high)} points cannot be ruled out"
            text += "."
        if self.persons < FEW_PERSONS:
            text += f" {people} are few: measure {FEW_PERSONS} or more before relying on it."
        return text

    def against(self, limit: float) -> str:
        """Compares the loss with the largest that is allowed, a fraction."""
        state = "above" if self.exceeds(limit) else "within"
        text = f"The loss of {_points(self.loss.value)} points is {state} the limit of "
        text += f"{_points(limit)}"
        if not self.loss.is_certain:
            return f"{text}; there is no interval that could exclude it."
        if self.loss.excludes(limit):
            return f"{text}, and the interval excludes the limit."
        return f"{text}, but the interval does not exclude the limit: more persons would tell."

    def exceeds(self, limit: float) -> bool:
        """Whether the loss is larger than is allowed."""
        return self.loss.value > limit

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict for JSON."""
        return {
            "variant": self.variant,
            "original_rank1": self.original,
            "changed_rank1": self.changed,
            "loss": self.loss.to_json(),
            "persons": self.persons,
            "sentence": self.sentence,
        }


def verdict_on(result: AuditResult) -> Verdict | None:
    """Returns the verdict on a model; None where no background was changed."""
    variant = next((v for v in reversed(CHANGED_BACKGROUNDS) if v in result.losses), None)
    if variant is None:
        return None
    outcomes = result.comparable
    original, changed = outcomes["original"].retrieval, outcomes[variant].retrieval
    return Verdict(
        variant,
        original.metrics()["rank1"],
        changed.metrics()["rank1"],
        result.losses[variant]["rank1"],
        result.bootstrap.persons(original, changed),
    )


@dataclass(frozen=True)
class Difference:
    """How much more of a figure one model loses than another, on the same queries.

    Attributes:
      models: the names of both.
      variant: what was changed.
      losses: figure -> loss of the first less that of the second.
      persons: how many persons the queries show.
    """

    models: tuple[str, str]
    variant: str
    losses: dict[str, Interval]
    persons: int

    @property
    def sentence(self) -> str:
        """What can be said of the loss of rank-1."""
        loss, (first, second) = self.losses["rank1"], self.models
        if loss.value < 0:
            first, second = second, first
        text = f"On {readable(self.variant)} images {first} "
        if abs(loss.value) < _ROUNDING:
            text += f"and {second} lose as much of rank-1"
        else:
            text += f"loses {_points(abs(loss.value))} points of rank-1 more than {second}"
        if not loss.is_certain:
            return f"{text}; no interval can be given."
        ends = loss if loss.value >= 0 else Interval(-loss.value, -loss.high, -loss.low, False)
        known = "" if loss.excludes(0) else " It cannot be told which of them loses more."
        return f"{text} (95% interval {in_points(ends)}, {self.persons:,} persons).{known}"

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict for JSON."""
        losses = {name: interval.to_json() for name, interval in self.losses.items()}
        facts = {"models": list(self.models), "variant": self.variant, "persons": self.persons}
        return {**facts, "losses": losses, "sentence": self.sentence}


def differences(results: Sequence[AuditResult]) -> list[Difference]:
    """Compares the losses of every two models, in the variant of their verdicts.

    Args:
      results: audits of models on the same data.
    """
    found = []
    for pair in itertools.combinations(results, 2):
        verdict = verdict_on(pair[0])
        if verdict is None or not all(verdict.variant in result.losses for result in pair):
            continue
        outcomes = [
            result.comparable[variant].retrieval
            for result in pair
            for variant in ("original", verdict.variant)
        ]
        bootstrap = pair[0].bootstrap
        losses = bootstrap.sum(*zip((1, -1, -1, 1), outcomes, strict=True))
        names = pair[0].name, pair[1].name
        found.append(Difference(names, verdict.variant, losses, bootstrap.persons(*outcomes)))
    return found


def in_points(interval: Interval) -> str:
    """Writes the ends of an interval as percentage points."""
    if not interval.is_certain:
        return "no interval"
    return f"{_points(interval.low)} to {_points(interval.high)}"


def _points(fraction: float) -> str:
    return f"{100 * fraction:.1f}".replace("-0.0", "0.0").replace("-", "\N{MINUS SIGN}")
