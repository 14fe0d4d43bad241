"""What an audit of several models found, as one document for JSON; `docs/audit.md` describes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import tfreid
from tfreid.evaluation.differences import differences
from tfreid.evaluation.result import AuditResult, figure_rows
from tfreid.evaluation.verdict import Verdict
from tfreid.retrieval.intervals import CONFIDENCE, DRAWS

FORMAT, VERSION = "tfreid.audit", 1
"""A number that grows when an entry is removed or means something else."""

_OF_DATA = ("protocol", "counts")
_OF_MODEL = ("chance_rank1", "matching", "intervals", "attention", "camera_pairs")


def audit_document(
    by_dataset: Mapping[str, Sequence[AuditResult]],
    command: str = "",
    limit: float | None = None,
    warnings: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Returns the document.

    Args:
      by_dataset: name of a data set -> audits of the models on it, in the same order in all.
      command: what repeats it.
      limit: the largest loss of rank-1 that is allowed, a fraction.
      warnings: name of a model -> what is odd about it.
    """
    first = next(iter(by_dataset.values()))
    exceeded = [v.exceeds(limit) for v in verdicts(by_dataset) if v] if limit is not None else []
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_by": {"command": command, "tfreid": tfreid.__version__},
        "confidence": CONFIDENCE,
        "draws": DRAWS,
        "seed": first[0].measurement.seed,
        "models": [
            {"name": result.name, "networks": list(result.networks)}
            | {"warnings": list((warnings or {}).get(result.networks[0]["name"], ()))}
            for result in first
        ],
        "data_sets": [_data_set(name, found, limit) for name, found in by_dataset.items()],
        "max_background_loss": limit,
        "is_exceeded": any(exceeded) if limit is not None else None,
    }


def verdicts(by_dataset: Mapping[str, Sequence[AuditResult]]) -> list[Verdict | None]:
    """Returns the verdict on each model on each data set."""
    return [result.verdict for found in by_dataset.values() for result in found]


def _data_set(name: str, results: Sequence[AuditResult], limit: float | None) -> dict[str, Any]:
    first = results[0]
    metrics, tested = first.metrics(), first.tested
    made_by = tested.folder.info.made_by
    return {
        "dataset": name,
        "data": metrics["data"],
        **{part: metrics[part] for part in _OF_DATA},
        "reason": tested.reason,
        "masks": {split: len(places) for split, places in tested.masked.items()},
        "masks_made_by": made_by.get("parser"),
        "backgrounds": tested.folder.background_source,
        "models": [_model(result, limit) for result in results],
        "differences": [difference.to_json() for difference in differences(results)],
    }


def _model(result: AuditResult, limit: float | None) -> dict[str, Any]:
    metrics, verdict = result.metrics(), result.verdict
    parts = {part: metrics[part] for part in _OF_MODEL}
    intervals = parts.pop("intervals")
    return {
        "name": result.name,
        "figures": figure_rows(metrics),
        "persons": intervals["persons"],
        "intervals": intervals["figures"],
        "losses": intervals["losses"],
        **parts,
        "occlusion": metrics.get("occlusion"),
        "verdict": verdict and verdict.to_json() | _limit(verdict, limit),
    }


def _limit(verdict: Verdict, limit: float | None) -> dict[str, Any]:
    if limit is None:
        return {}
    return {
        "is_exceeded": verdict.exceeds(limit),
        "interval_excludes_limit": verdict.loss.excludes(limit),
        "against_limit": verdict.against(limit),
    }
