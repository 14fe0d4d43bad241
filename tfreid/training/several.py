"""Runs that are used together, as one model with combined descriptors."""

import math
from collections.abc import Sequence
from pathlib import Path

from tfreid.errors import UsageError
from tfreid.records import Records
from tfreid.training.run import Run


def open_runs(paths: Sequence[Path]) -> list[Run]:
    """Opens one run, or several whose descriptors can be combined.

    Args:
      paths: folders of runs.

    Raises:
      UsageError: if a run is named twice, or one of several gives no descriptor.
      MissingPathError, DataError: as for `Run`.
    """
    for place, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:place]]:
            raise UsageError(f"the run {path} is given twice: combine different runs")
    runs = [Run(path) for path in paths]
    for run in runs:
        if len(runs) > 1 and run.stage.data != "reid":
            raise UsageError(
                f"{run.path} is a run of a parsing network (method={run.method.name}), which gives "
                "no descriptors: there is nothing to combine"
            )
    return runs


def open_data(runs: Sequence[Run], path: str | Path | None) -> Records:
    """Opens records: those that the runs were trained on, unless others are given.

    Args:
      runs: from `open_runs`.
      path: folder of other records.

    Raises:
      UsageError: if the records are of another kind, or the runs were trained on different data
        and none are given.
      MissingPathError: if there are no records.
    """
    first = runs[0]
    for run in runs[1:]:
        if not path and run.info.fingerprint != first.info.fingerprint:
            raise UsageError(
                f"{first.path} was trained on {first.info.name} and {run.path} on other data, "
                f"{run.info.name}: say on which test images to measure (data); they must show "
                "persons that none of the runs was trained on"
            )
    return first.open_data(first.stage.data, path)


def read_weights(given: Sequence[str] | None, runs: int) -> list[float]:
    """Reads the weights of runs in the mean of their cosines.

    Args:
      given: the weights as text; None weighs all runs the same.
      runs: number of runs.

    Raises:
      UsageError: unless there are several runs and a positive number for each.
    """
    if given is None:
        return [1.0] * runs
    try:
        weights = [float(text) for text in given]
    except ValueError:
        weights = []
    if runs < 2 or len(weights) != runs or not all(0 < weight < math.inf for weight in weights):
        raise UsageError(
            f"run_weights={','.join(given)}: expected a positive number for each of several runs, "
            f"and there {'is 1 run' if runs == 1 else f'are {runs} runs'} (run)"
        )
    return weights


def short_names(runs: Sequence[Run]) -> list[str]:
    """Returns the names of the runs' folders, with as much before them as tells them apart."""
    paths = [run.path.resolve().parts for run in runs]
    deeper = (["/".join(path[-depth:]) for path in paths] for depth in range(1, len(paths[0]) + 1))
    return next(
        (names for names in deeper if len(set(names)) == len(names)),
        [str(run.path) for run in runs],
    )
