"""How a run's losses went, read back from its TensorBoard events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util.tensor_util import make_ndarray

from tfreid.methods.base import Stage
from tfreid.training.run import Run

_NO_LOSSES = ("total", "gradient_norm", "images_per_s")


@dataclass(frozen=True)
class LossCurve:
    """A loss in one stage of a run.

    Attributes:
      stage: name of the stage.
      steps: `[n]` int64, rising: the run's steps at which it was logged.
      values: `[n]` float64: its mean over the steps since the one before.
    """

    stage: str
    steps: np.ndarray
    values: np.ndarray


def read_losses(run: Run, stages: Sequence[Stage] | None = None) -> dict[str, list[LossCurve]]:
    """Reads the losses of a run, resumed or not.

    A step that was logged more than once, because the run continued from a checkpoint before it,
    counts once, with the latest value.

    Args:
      run: the run.
      stages: those to read; all of the run unless given.

    Returns:
      Name of a loss -> its curves in the stages that have it; empty where there are no events.
    """
    logged: dict[str, dict[int, float]] = {}
    for tag, step, value in _scalars(run):
        logged.setdefault(tag, {})[step] = value
    losses: dict[str, list[LossCurve]] = {}
    for stage in run.stages if stages is None else stages:
        for tag in (tag for tag in logged if tag.startswith(f"{stage.name}/")):
            loss = tag.removeprefix(f"{stage.name}/")
            if "/" not in loss and loss not in _NO_LOSSES:
                curve = LossCurve(stage.name, *_sorted(logged[tag]))
                losses.setdefault(loss, []).append(curve)
    return losses


def _scalars(run: Run) -> Iterator[tuple[str, int, float]]:
    """Tag, step and value of every scalar, one events file after another, the oldest first."""
    # One event at a time, as TensorBoard's accumulator would hold all pictures in memory.
    for path in sorted(run.events.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    yield value.tag, event.step, float(make_ndarray(value.tensor))


def _sorted(values: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    steps = np.array(sorted(values), np.int64)
    return steps, np.array([values[step] for step in steps.tolist()])
