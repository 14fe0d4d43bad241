"""Trains a method on records, from an empty folder to a finished run."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.inputs import (
    InputSpec,
    data_errors,
    evaluation_batches,
    masks_missing,
    training_batches,
)
from tfreid.methods.base import Method, Stage
from tfreid.records import Records
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.building import build_model, main_data
from tfreid.training.description import identity, run_description
from tfreid.training.run import Run
from tfreid.training.runner import stage_seed, train
from tfreid.training.strategy import (
    is_chief,
    make_strategy,
    require_same_run,
    wait_for_all_workers,
)
from tfreid.training.summaries import PICTURES
from tfreid.training.transfer import Origin, require_start
from tfreid.training.watch import Evaluate, WatchOptions

_DATA_ARGUMENTS = {"reid": "data", "parsing": "parsing_data"}


def fit(
    method: Method,
    recipe: Any,
    data: Mapping[str, Records],
    out: str | Path,
    *,
    seed: int = 0,
    precision: str = "float32",
    accumulate_steps: int = 1,
    deterministic: bool = True,
    options: WatchOptions | None = None,
    evaluate: Evaluate | None = None,
    init_from: str | Path | None = None,
    export: Callable[[Run], object] | None = None,
) -> Run:
    """Trains a method on records to the end, or continues the run that `out` holds.

    Args:
      method: the method, of the table `METHODS` or one's own.
      recipe: its settings.
      data: kind of records, `"reid"` or `"parsing"` -> records.
      out: folder of the run.
      seed: of weights, batches and dropout.
      precision: one of `tfreid.training.PRECISIONS`.
      accumulate_steps: parts of a batch whose gradients are computed one after the other, so that
        the memory holds the activations of one part.
      deterministic: whether operations give the same bits in every run.
      options: how the run is watched and saved.
      evaluate: called every `options.evaluate_every_steps` steps and at the end.
      init_from: folder of a run whose weights are the start; `recipe.json` says which were loaded.
      export: called with the trained run before it counts as finished, for example
        `tfreid.serving.export_run`; a run that is finished is not exported again.

    Returns:
      The run, finished, with its model.

    Raises:
      UsageError: if a stage's data is missing, `out` is in use or belongs to another run, another
        worker was given another run, `init_from` does not fit or is missing, or a part of the
        model is neither trained nor loaded.
      DataError: if records or a checkpoint are damaged.
      TrainingError: if a loss is not finite or a checkpoint cannot be written.
      StoppedBySignal: after SIGTERM or Ctrl-C, when a checkpoint is saved.
    """
    arithmetic = Arithmetic(precision, accumulate_steps, deterministic)
    strategy = make_strategy()  # First of all, as several workers must meet before they compute.
    run = Run(out, method)
    recipe = run.as_begun(recipe)
    stages = method.stages(recipe)
    data = _data_of(method, stages, data)
    kind = main_data(method, recipe)
    require_start(method.name, stages, init_from)
    origin = Origin.find(init_from, run) if init_from else None
    build = functools.partial(build_model, method, recipe, data[kind].info, precision)
    batches = functools.partial(_batches, data, seed)
    found = origin.to_json() if origin else None
    description = run_description(method.name, recipe, seed, arithmetic, data, found)
    require_same_run(strategy, identity(description))
    claim = run.claim(description) if is_chief() else contextlib.nullcontext()
    with claim, data_errors(*data.values()):
        if is_chief():
            run.write_infos(data)
            if not deterministic:
                print("not deterministic: the bits may differ from run to run", flush=True)
            _tell_of_missing_masks(stages, data)
        run.model = train(
            build,
            stages,
            batches,
            run,
            strategy,
            seed,
            options or WatchOptions(),
            evaluate,
            _test_images(stages, data),
            origin,
            arithmetic,
        )
        if is_chief() and not run.is_finished:
            if export is not None:
                export(run)
            run.add_metrics(finished=True)
        wait_for_all_workers(strategy)
    return run


def _tell_of_missing_masks(stages: Sequence[Stage], data: Mapping[str, Records]) -> None:
    for stage in stages:
        text = masks_missing(data[stage.data], "train", stage.inputs)
        if text:
            print(f"stage {stage.name}: {text}", flush=True)


def _batches(
    data: Mapping[str, Records], seed: int, stage: Stage, start_step: int, part: tuple[int, int]
) -> tf.data.Dataset:
    """The training batches of a stage from a step within it on, or a part of each."""
    return training_batches(
        data[stage.data],
        "train",
        stage.inputs,
        stage.batch_size,
        seed=stage_seed(seed, stage),
        start_step=start_step,
        steps=stage.steps - start_step,
        part=part,
    )


def _test_images(stages: Sequence[Stage], data: Mapping[str, Records]) -> tf.Tensor | None:
    """A few queries, the same in every run on the data, for pictures; None where there are none."""
    records = data.get("reid")
    queries = records.info.splits.get("query") if records else None
    if queries is None or not queries.records:
        return None
    size = [stage.inputs.image_size_px for stage in stages if stage.data == "reid"][-1]
    spec = InputSpec(image_size_px=size)
    spread = np.unique(np.linspace(0, queries.records - 1, PICTURES).astype(np.int64))
    with data_errors():
        batch = next(iter(evaluation_batches(records, "query", spec, PICTURES, 0, spread)))
    return batch["image"]


def _data_of(
    method: Method, stages: Sequence[Stage], data: Mapping[str, Records]
) -> dict[str, Records]:
    """The records that the stages read, each checked for its kind."""
    for stage in stages:
        if stage.data not in data:
            raise UsageError(
                f"stage {stage.name!r} of {method.name} trains on {stage.data} records, and none "
                "were given: convert a data set of that kind (python -m tfreid.datasets lists "
                f"them) and give its folder ({_DATA_ARGUMENTS[stage.data]})"
            )
        records = data[stage.data]
        if not records.serves(stage.data):
            raise UsageError(
                f"{records.path} holds {records.info.kind} records, and {stage.data} records are "
                f"expected here. Give {records.info.kind} records by their own argument "
                f"({_DATA_ARGUMENTS[records.info.kind]})"
            )
    return {kind: data[kind] for kind in sorted({stage.data for stage in stages})}
