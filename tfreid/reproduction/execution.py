"""Trains and tests the rows of a table that are not done yet."""

import sys
import time
from collections.abc import Callable, Sequence

from tfreid.errors import DataError
from tfreid.reproduction.plan import Reproduction
from tfreid.reproduction.runs import Tested, Training
from tfreid.reproduction.table import TableRow
from tfreid.training import Run

Runner = Callable[[str, Sequence[str]], None]
"""Runs a command of the package, given its module and arguments; raises if it fails."""


def run_rows(
    plan: Reproduction,
    rows: Sequence[TableRow],
    seeds: Sequence[int],
    runner: Runner,
    done: Callable[[], None],
) -> list[str]:
    """Runs rows one after the other, seed by seed, and leaves out what is done.

    A row that fails is told, and the others run.

    Args:
      plan: the table and its data.
      rows: of the table.
      seeds: of the trainings.
      runner: runs `tfreid.train` and `tfreid.evaluate`.
      done: called after each row.

    Returns:
      What failed: with a DataError of the runner, or without figures in the end.

    Raises:
      UsageError: if a row cannot be run as asked, nothing has run then; or from the runner.
    """
    jobs = [
        (f"{row.name}, {setting.name}, seed {seed}", plan.run(row, setting, seed))
        for seed in seeds
        for setting in plan.settings
        for row in rows
    ]
    failed = []
    for number, (name, run) in enumerate(jobs, 1):
        print(f"\n{plan.table.name}, {number} of {len(jobs)}: {name}", flush=True)
        try:
            _run(run, runner)
        except DataError as error:
            print(f"{plan.table.name}, {name} failed: {error}", file=sys.stderr)
            failed.append(f"{plan.table.name}, {name}: {error}")
        done()
    return failed


def _train(run: Training, runner: Runner) -> None:
    """Trains; of what was not begun before, notes how long it took, to foretell others."""
    is_whole, start = not run.path.exists(), time.monotonic()
    runner("tfreid.train", run.training_arguments())
    if is_whole and run.is_trained():
        Run(run.path).add_metrics(training_seconds=round(time.monotonic() - start, 1))


def _run(tested: Tested, runner: Runner) -> None:
    if tested.evaluation() is not None:
        print(f"done before: {tested.test_path}")
        return
    for run in tested.trainings():
        if run.is_trained():
            print(f"trained before: {run.path}")
        else:
            _train(run, runner)
    runner("tfreid.evaluate", tested.test_arguments())
    if tested.evaluation() is None:
        raise DataError(
            f"{tested.path} is not the run that the table asks for, or was not tested: remove it, "
            "then give the same command again"
        )
