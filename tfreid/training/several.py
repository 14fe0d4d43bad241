"""Runs that are used together, as one model with combined descriptors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from tfreid.errors import UsageError
from tfreid.methods import Method
from tfreid.methods.base import Stage
from tfreid.records import Records, RecordsInfo
from tfreid.training.loading import load_run
from tfreid.training.run_folder import RunFolder


@dataclass(frozen=True)
class LoadedRun:
    """A run with its final weights.

    Attributes:
      folder: of the run.
      method: its method.
      recipe: the method's settings.
      info: description of the data that it was trained on.
      model: its model.
    """

    folder: RunFolder
    method: Method
    recipe: Any
    info: RecordsInfo
    model: keras.Model

    @property
    def stage(self) -> Stage:
        """The last stage: what the run is for."""
        return self.method.stages(self.recipe)[-1]


def load_runs(paths: Sequence[Path]) -> list[LoadedRun]:
    """Loads one run, or several whose descriptors can be combined.

    Args:
      paths: folders of runs.

    Raises:
      UsageError: if a run is named twice, or one of several gives no descriptor.
      MissingPathError, DataError: as for `load_run`.
    """
    for place, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:place]]:
            raise UsageError(f"the run {path} is given twice: combine different runs")
    runs = [LoadedRun(RunFolder(path), *load_run(path)) for path in paths]
    for run in runs:
        if len(runs) > 1 and run.stage.data != "reid":
            raise UsageError(
                f"{run.folder.path} is a run of a parsing network (--method={run.method.name}), "
                "which gives no descriptors: there is nothing to combine"
            )
    return runs


def open_data(runs: Sequence[LoadedRun], path: str | None) -> Records:
    """Opens converted data: those that the runs were trained on, unless others are given.

    Args:
      runs: from `load_runs`.
      path: folder of other data.

    Raises:
      UsageError: if the records are of another kind, or the runs were trained on different data
        and none are given.
      MissingPathError: if there is no data set.
    """
    first = runs[0]
    for run in runs[1:]:
        if not path and run.info.fingerprint != first.info.fingerprint:
            raise UsageError(
                f"{first.folder.path} was trained on {first.info.name} and {run.folder.path} on "
                f"other data, {run.info.name}: say on which test images to measure (--data); they "
                "must show persons that none of the runs was trained on"
            )
    return first.folder.open_data(first.stage.data, path)


def short_names(runs: Sequence[LoadedRun]) -> list[str]:
    """Returns the names of the runs' folders, with as much before them as tells them apart."""
    paths = [run.folder.path.resolve().parts for run in runs]
    deeper = (["/".join(path[-depth:]) for path in paths] for depth in range(1, len(paths[0]) + 1))
    return next(
        (names for names in deeper if len(set(names)) == len(names)),
        [str(run.folder.path) for run in runs],
    )
