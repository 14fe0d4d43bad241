"""Loads what a run trained."""

import sys
from pathlib import Path
from typing import Any

import keras

from tfreid.errors import DataError
from tfreid.methods import METHODS, Method
from tfreid.methods.recipe import from_json
from tfreid.records import RecordsInfo
from tfreid.training.building import build_model, main_data
from tfreid.training.checkpoints import restore_model
from tfreid.training.run_folder import RunFolder


def read_run(path: str | Path) -> tuple[Method, Any, RecordsInfo]:
    """Reads what a run is, without its weights.

    Args:
      path: folder of the run.

    Returns:
      The method, its recipe and the description of the data it was trained on.

    Raises:
      MissingPathError: if the folder holds no run.
      DataError: if its method is not known or a file is damaged.
    """
    run = RunFolder(Path(path))
    values = run.read_recipe()
    method = METHODS.get(values["method"])
    if method is None:
        raise DataError(
            f"{path} was trained with the method {values['method']!r}, which is not one of "
            f"{', '.join(METHODS)}"
        )
    recipe = from_json(method.recipe, values["recipe"])
    return method, recipe, run.read_info(main_data(method, recipe))


def load_run(path: str | Path) -> tuple[Method, Any, RecordsInfo, keras.Model]:
    """Loads the final model of a run, or its latest when the run is not finished.

    Args:
      path: folder of the run.

    Returns:
      The method, its recipe, the description of the data it was trained on, and the model.

    Raises:
      MissingPathError: if the folder holds no run.
      DataError: if the run has no checkpoint, or it does not fit the recipe's model.
    """
    method, recipe, info = read_run(path)
    run = RunFolder(Path(path))
    model = build_model(method, recipe, info, run.read_recipe()["precision"])
    step = restore_model(run.checkpoints, model)
    total_steps = sum(stage.steps for stage in method.stages(recipe))
    if step < total_steps:
        print(
            f"warning: the run {path} is not finished: these are the weights of step {step} of "
            f"{total_steps}",
            file=sys.stderr,
        )
    return method, recipe, info, model
