"""What a change of the model or of its training does, on the same queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfreid.evaluation.result import AuditResult
from tfreid.retrieval import Interval


@dataclass(frozen=True)
class Change:
    """A change whose effect is asked for.

    Attributes:
      name: what is changed.
      before: the name of the model without it.
      after: the name of the model with it.
      source: where the paper reports on it; empty where it does not.
    """

    name: str
    before: str
    after: str
    source: str = ""


@dataclass(frozen=True)
class Gain:
    """The effect of a change.

    Attributes:
      change: what was changed.
      figures: variant -> `rank1` and `mAP` -> that of the model after less that before, with its
        interval over persons.
    """

    change: Change
    figures: dict[str, dict[str, Interval]]

    def to_json(self) -> dict[str, Any]:
        """Returns it as a dict for JSON."""
        return {
            "before": self.change.before,
            "after": self.change.after,
            "variants": {
                variant: {name: one.to_json() for name, one in found.items()}
                for variant, found in self.figures.items()
            },
        }


def gains(changes: Sequence[Change], results: Sequence[AuditResult]) -> list[Gain]:
    """Measures changes, each on the variants that both models have in common.

    Args:
      changes: between models of `results`, by their names.
      results: audits of models on the same data.
    """
    named = {result.name: result for result in results}
    return [Gain(change, _between(named[change.before], named[change.after])) for change in changes]


def _between(before: AuditResult, after: AuditResult) -> dict[str, dict[str, Interval]]:
    return {
        variant: after.bootstrap.sum(
            (1, outcome.retrieval), (-1, before.comparable[variant].retrieval)
        )
        for variant, outcome in after.comparable.items()
        if variant in before.comparable
    }
