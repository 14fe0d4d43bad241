"""What can be said of a model's loss when the background changes, and what cannot."""

from dataclasses import dataclass
from typing import Any

from tfreid.inputs import readable
from tfreid.retrieval import Interval
from tfreid.retrieval.intervals import share_that_could_be_missed

CHANGED_BACKGROUNDS = ("mean_background", "random_background")
"""Variants in which a model that looks at the person keeps its accuracy."""

FEW_PERSONS = 10
"""With fewer, other persons may give quite other figures."""

ROUNDING = 1e-9


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
        facts = f"On {readable(self.variant)} images rank-1 "
        if points(self.original) == points(self.changed):
            facts += f"stays at {points(self.original)}"
        else:
            facts += "falls" if self.loss.value > 0 else "rises"
            facts += f" from {points(self.original)} to {points(self.changed)}"
            facts += f", by {points(abs(self.loss.value))} points"
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
        shown = loss if loss.value > -ROUNDING else loss.negated  # Of the rise that was said.
        text = f" (95% interval {in_points(shown)}, {people}). "
        if loss.low > ROUNDING:
            text += "The model uses the background."
        elif loss.high < -ROUNDING:
            text += "It finds persons better without their background."
        else:
            text += "This cannot be told from no change"
            if loss.high > ROUNDING:
                text += f", and a loss of up to {points(loss.high)} points cannot be ruled out"
            text += "."
        if self.persons < FEW_PERSONS:
            text += f" {people} are few: measure {FEW_PERSONS} or more before relying on it."
        return text

    def against(self, limit: float) -> str:
        """Compares the loss with the largest that is allowed, a fraction."""
        state = "above" if self.exceeds(limit) else "within"
        text = f"The loss of {points(self.loss.value)} points is {state} the limit of "
        text += f"{points(limit)}"
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


def in_points(interval: Interval) -> str:
    """Writes the ends of an interval as percentage points."""
    if not interval.is_certain:
        return "no interval"
    return f"{points(interval.low)} to {points(interval.high)}"


def points(fraction: float) -> str:
    """Writes a fraction as percentage points, without a sign for zero."""
    return f"{100 * fraction:.1f}".replace("-0.0", "0.0").replace("-", "\N{MINUS SIGN}")
