"""Whether a model is good enough to be pushed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import PipelineConfig, Thresholds
from tfreid.records.own_backgrounds import INSTALL, can_inpaint

_WITHOUT = "--max_background_loss=1 blesses without that measurement"
_NO_MASKS = (
    "no test person has masks in query and gallery. --parser=mediapipe_pose makes missing ones; "
    f"{_WITHOUT}"
)
_NO_SCENES = (
    "there are no background scenes. --backgrounds_root names a folder of them, and after "
    f"{INSTALL} they are made of the images; {_WITHOUT}"
)


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
    """Compares a model's metrics with the thresholds and with the served model's.

    Args:
      candidate: from `tfreid.evaluation.AuditResult.metrics`.
      baseline: the same of the served model on the same images, or None.
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


def unmeasurable(config: PipelineConfig) -> str:
    """Returns what the condition on backgrounds lacks, as far as it shows before anything is run.

    Args:
      config: of the pipeline; its images are listed.

    Returns:
      A sentence that says what to do; empty if nothing is lacking, or the condition is off.
    """
    if config.thresholds.max_background_loss is None:
        return ""
    masked = {row.split for row in config.data.rows if row.mask_path}
    if config.parser is None and not masked >= {"query", "gallery"}:
        return _NO_MASKS
    scenes = config.backgrounds_root or config.data.own_backgrounds or can_inpaint()
    return "" if scenes else _NO_SCENES


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
            f"{name} {_percent(found[name])}, the served model has {_percent(before[name])} and "
            f"{100 * thresholds.max_regression:.1f} points less are allowed",
        )
        for name in least
    ]


def _background(candidate: Mapping[str, Any], thresholds: Thresholds) -> list[tuple[bool, str]]:
    limit = thresholds.max_background_loss
    if limit is None:
        return []
    if "random_background" not in candidate:
        missing = _NO_SCENES if "mean_background" in candidate else _NO_MASKS
        return [
            (False, f"the loss of rank1 on random backgrounds could not be measured: {missing}")
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
