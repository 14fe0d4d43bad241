"""Whether a model is good enough to be pushed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import Thresholds


@dataclass(frozen=True)
class Decision:
    """A decision and its reasons.

    Attributes:
      blessed: whether every condition holds.
      passed: conditions that hold, with figures.
      failed: conditions that do not hold, with figures and what was expected.
    """

    blessed: bool
    passed: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def summary(self) -> str:
        """All that failed; if nothing did, all that passed."""
        return "; ".join(self.failed or self.passed)


def decide(
    candidate: Mapping[str, Any], baseline: Mapping[str, Any] | None, thresholds: Thresholds
) -> Decision:
    """Compares a model's metrics with the thresholds and with the latest blessed model's.

    Args:
      candidate: from `tfreid.evaluation.AuditResult.metrics`.
      baseline: the same of the latest blessed model on the same images, or None.
      thresholds: what to reach.
    """
    conditions = [
        *_absolute(candidate["original"], thresholds),
        *(_relative(candidate["original"], baseline["original"], thresholds) if baseline else ()),
        *_background(candidate, thresholds),
    ]
    failed = tuple(text for holds, text in conditions if not holds)
    passed = tuple(text for holds, text in conditions if holds)
    return Decision(not failed, passed, failed)


def _absolute(found: Mapping[str, float], thresholds: Thresholds) -> list[tuple[bool, str]]:
    expected = {"rank1": thresholds.min_rank1, "mAP": thresholds.min_mAP}
    return [_at_least(name, found.get(name), least) for name, least in expected.items()]


def _at_least(name: str, found: float | None, least: float) -> tuple[bool, str]:
    if found is None:
        text = f"{name} does not exist in the data set's protocol (one gallery image a person)"
        return least == 0, f"{text}, expected at least {_percent(least)}; 0 asks for none"
    return found >= least, f"{name} {_percent(found)}, expected at least {_percent(least)}"


def _relative(
    found: Mapping[str, float], before: Mapping[str, float], thresholds: Thresholds
) -> list[tuple[bool, str]]:
    least = {
        name: before[name] - thresholds.max_regression
        for name in ("rank1", "mAP")
        if name in found and name in before
    }
    return [
        (
            found[name] >= least[name],
            f"{name} {_percent(found[name])}, the blessed model has {_percent(before[name])} and "
            f"{100 * thresholds.max_regression:.1f} points less are allowed",
        )
        for name in least
    ]


def _background(candidate: Mapping[str, Any], thresholds: Thresholds) -> list[tuple[bool, str]]:
    limit = thresholds.max_background_loss
    if limit is None:
        return []
    if "random_background" not in candidate:
        return [
            (
                False,
                "the loss of rank1 on random backgrounds could not be measured: the test images "
                "have no masks, or there are no background scenes",
            )
        ]
    # Where some images have no mask, the variants are of the others alone.
    original = candidate.get("original_with_masks", candidate["original"])
    loss = original["rank1"] - candidate["random_background"]["rank1"]
    text = (
        f"rank1 changes by {-100 * loss:+.1f} points on random backgrounds, a loss of "
        f"{100 * limit:.1f} points is allowed"
    )
    return [(loss <= limit, text)]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}%"
