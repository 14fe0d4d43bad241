"""What one update of each stage of a method takes on this machine, on noise instead of images.

    python -m tfreid.training.probe '{"method": "dgd", "scale": "demo"}'

A process for each probe: one that the memory does not hold ends without the others, and devices are
hidden from it by `CUDA_VISIBLE_DEVICES`.
"""

import dataclasses
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.inputs.batches import OPTIONS
from tfreid.methods import METHODS, Stage
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.building import build_model
from tfreid.training.determinism import without_deterministic_kernel
from tfreid.training.loss_scale import make_loss_scale
from tfreid.training.runner import saved_parts
from tfreid.training.strategy import make_strategy
from tfreid.training.trainable import freeze_all_but
from tfreid.training.update import make_update

_PERSONS, _CAMERAS = 751, 6  # Those of Market-1501, whose number shapes the classifiers.
INFO = SimpleNamespace(
    num_persons=_PERSONS,
    num_cameras=_CAMERAS,
    mean_pixel=(105.0, 99.0, 98.0),
    mask_vocabulary="lip20",
)
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Probe:
    """What to try.

    Attributes:
      method: name of the method.
      scale: `"paper"` or `"demo"`.
      changes: fields of the recipe, dotted where nested, to their value.
      precision: one of `PRECISIONS`.
      deterministic: whether operations are to give the same bits in every run.
      accumulate_steps: parts of a batch that are computed one after the other.
      tensor_float_32: whether a GPU may round the factors of float32 products to 10 bits.
      steps: updates that are timed.
    """

    method: str
    scale: str
    changes: dict[str, Any] = field(default_factory=dict)
    precision: str = "float32"
    deterministic: bool = True
    accumulate_steps: int = 1
    tensor_float_32: bool = True
    steps: int = 3


@dataclass(frozen=True)
class StageFigures:
    """What was found of one stage.

    Attributes:
      stage: its name.
      image_size_px: height, width.
      images: in a batch.
      seconds: of an update, the median.
      peak_bytes: most memory at once, of the device or, without a GPU, of the process beyond what
        the libraries take; None where the system does not say.
      losses: the first update's losses by name, with `total` and `gradient_norm`.
      repeats: whether the same update from the same state gave the same bits.
      refused: operations without a deterministic kernel.
    """

    stage: str
    image_size_px: tuple[int, int]
    images: int
    seconds: float
    peak_bytes: int | None
    losses: dict[str, float]
    repeats: bool
    refused: tuple[str, ...]


def run(probe: Probe) -> list[StageFigures]:
    """Builds the method's model and updates it in each of its stages."""
    if probe.deterministic:
        tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(probe.tensor_float_32)
    keras.utils.set_random_seed(0)
    idle_bytes = _peak_bytes() or 0
    strategy, method = make_strategy(), METHODS[probe.method]
    recipe = method.recipe_with(probe.scale, probe.changes)
    stages = method.stages(recipe)
    arithmetic = Arithmetic(probe.precision, probe.accumulate_steps, probe.deterministic)
    with strategy.scope():
        model, step, optimizers = saved_parts(
            lambda: build_model(method, recipe, INFO, probe.precision), stages, [0] * len(stages)
        )
        loss_scale = make_loss_scale(arithmetic)
    found = []
    for stage in stages:
        trained = freeze_all_but(model, stage)
        own = optimizers[stage.name]
        update = make_update(strategy, model, stage, trained, own, step, 0, arithmetic, loss_scale)
        states = [step, *model.variables, *(v for one in own.values() for v in one.variables)]
        states += loss_scale.state if loss_scale else []
        figures = _probed(strategy, stage, update, states, probe.steps)
        if figures.peak_bytes is not None:
            figures = dataclasses.replace(figures, peak_bytes=figures.peak_bytes - idle_bytes)
        found.append(figures)
    return found


def _probed(
    strategy: tf.distribute.Strategy, stage: Stage, update: Any, states: Sequence, steps: int
) -> StageFigures:
    noise = tf.data.Dataset.from_tensors(noise_batch(stage)).repeat()
    iterator = iter(strategy.experimental_distribute_dataset(noise.with_options(OPTIONS)))
    batch = next(iterator)
    refused = without_deterministic_kernel(update.get_concrete_function(batch))
    before, first = _values(states), _losses(update(batch))
    while first.get("skipped"):  # Until float16's factor has come down.
        before, first = _values(states), _losses(update(batch))
    after = _values(states)
    with strategy.scope():
        for state, value in zip(states, before, strict=True):
            state.assign(value)
    again = _losses(update(batch))
    repeats = first == again and all(map(np.array_equal, _values(states), after))
    del before, after
    _forget_peak()
    seconds = []
    for _ in range(steps):
        started = time.perf_counter()
        _losses(update(next(iterator)))
        seconds.append(time.perf_counter() - started)
    return StageFigures(
        stage=stage.name,
        image_size_px=stage.inputs.image_size_px,
        images=stage.batch_size,
        seconds=float(np.median(seconds)),
        peak_bytes=_peak_bytes(),
        losses=first,
        repeats=repeats,
        refused=tuple(refused),
    )


def noise_batch(stage: Stage) -> dict[str, tf.Tensor]:
    """Returns a batch as the stage expects it: noise, persons side by side, random masks."""
    random = np.random.default_rng(0)
    count, size = stage.batch_size, stage.inputs.image_size_px
    numbers = np.arange(count) // (stage.inputs.images_per_person or 1)
    batch = {
        "image": tf.constant(random.uniform(0, 255, (count, *size, 3)), tf.float32),
        "key": tf.constant([str(number) for number in range(count)]),
        "label": tf.constant(numbers % _PERSONS, tf.int32),
        "camera": tf.constant(np.arange(count) % _CAMERAS, tf.int32),
    }
    if stage.inputs.mask_vocabulary is not None:
        classes = len(VOCABULARIES[stage.inputs.mask_vocabulary])
        batch["mask"] = tf.constant(random.integers(0, classes, (count, *size)), tf.int32)
    return batch


def _values(states: Sequence) -> list[np.ndarray]:
    return [np.array(state.numpy()) for state in states]


def _losses(values: Mapping[str, tf.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _forget_peak() -> None:
    for gpu in tf.config.list_logical_devices("GPU"):
        tf.config.experimental.reset_memory_stats(gpu.name)
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_bytes() -> int | None:
    """Most bytes of the fullest GPU, or of this process, since they were forgotten."""
    if gpus := tf.config.list_physical_devices("GPU"):
        names = [f"GPU:{number}" for number in range(len(gpus))]
        return max(tf.config.experimental.get_memory_info(name)["peak"] for name in names)
    found = _STATUS.exists() and re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text("ascii"))
    return 1024 * int(found[1]) if found else None


if __name__ == "__main__":
    figures = run(Probe(**json.loads(sys.argv[1])))
    print(json.dumps([dataclasses.asdict(each) for each in figures]))
