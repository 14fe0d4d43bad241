"""How much more one model loses than another when the background changes."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfreid.evaluation.result import AuditResult
from tfreid.evaluation.verdict import ROUNDING, in_points, points
from tfreid.inputs import readable
from tfreid.retrieval import Interval


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
        if abs(loss.value) < ROUNDING:
            text += f"and {second} lose as much of rank-1"
        else:
            text += f"loses {points(abs(loss.value))} points of rank-1 more than {second}"
        if not loss.is_certain:
            return f"{text}; no interval can be given."
        ends = loss if loss.value >= 0 else loss.negated
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
        verdict = pair[0].verdict
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
