"""What a table still needs: trainings, tests and, from the runs that are there, time."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfreid.errors import DataError
from tfreid.methods import METHODS
from tfreid.reproduction.plan import Reproduction
from tfreid.reproduction.runs import Training
from tfreid.reproduction.table import TableRow
from tfreid.training import Run


@dataclass(frozen=True)
class Effort:
    """What is to be done.

    Attributes:
      trainings: not done yet.
      updates: of these trainings in all.
      tests: not done yet.
      seconds: of the trainings that can be foretold.
      unknown: methods of which no training in the store has been timed.
    """

    trainings: int
    updates: int
    tests: int
    seconds: float
    unknown: frozenset[str]


def effort(
    plan: Reproduction, rows: Sequence[TableRow], seeds: Sequence[int], planned: set[Path]
) -> Effort:
    """Counts what rows of a table still need.

    A training takes as long as the mean of those that differ from it in the seed alone, or else as
    long an update as the mean of its method.

    Args:
      plan: the table and its data.
      rows: of the table.
      seeds: of the trainings.
      planned: folders of trainings that something before counts already; what is counted is added.

    Raises:
      UsageError: if a row cannot be run.
    """
    tested = [
        plan.run(row, setting, seed) for seed in seeds for setting in plan.settings for row in rows
    ]
    todo: dict[Path, Training] = {}
    for one in tested:
        if one.evaluation() is None:
            todo |= {run.path: run for run in one.trainings() if not run.is_trained()}
    tests = {one.test_path for one in tested if one.evaluation() is None}
    new = {path: run for path, run in todo.items() if path not in planned}
    planned.update(new)
    rates = _rates(plan.store)
    seconds = {path: _seconds(run, rates) for path, run in new.items()}
    unknown = frozenset(run.method for path, run in new.items() if seconds[path] is None)
    known = sum(filter(None, seconds.values()))
    updates = sum(_updates(run.method, run.recipe) for run in new.values())
    return Effort(len(new), updates, len(tests), known, unknown)


def _updates(method: str, recipe) -> int:
    return sum(stage.steps for stage in METHODS[method].stages(recipe))


def _seconds(run: Training, rates: dict[str, float]) -> float | None:
    others = [seconds for _, seconds in _timed(run.family.glob("seed*"))]
    if others:
        return statistics.fmean(others)
    rate = rates.get(run.method)
    return None if rate is None else rate * _updates(run.method, run.recipe)


def _rates(store: Path) -> dict[str, float]:
    """Seconds an update by method."""
    by_method: dict[str, list[float]] = {}
    for run, seconds in _timed(store.glob("*/seed*")):
        rate = seconds / max(1, _updates(run.method.name, run.recipe))
        by_method.setdefault(run.method.name, []).append(rate)
    return {method: statistics.fmean(rates) for method, rates in by_method.items()}


def _timed(paths: Iterable[Path]) -> list[tuple[Run, float]]:
    """Runs whose training was timed; of those that do not open, none."""
    found = []
    for run in map(Run, paths):
        try:
            seconds = run.metrics.get("training_seconds")
            if seconds and run.recipe is not None:
                found.append((run, float(seconds)))
        except (DataError, TypeError, ValueError):
            continue
    return found
