"""What FA-Net's parts cost, and ResNet-50 beside PyTorch's.

    python -m benchmarks.fanet
    python -m benchmarks.fanet --torch_python=/path/to/a/python/with/torch

Training steps and descriptors of rows of the paper's Table I at its size: ResNet-50 with output
stride 16, 384x128. A step is a `tf.function` of forward, losses, gradient and the runner's
optimizer, on one batch of noise that is in memory. Rounds alternate between all of them; the table
shows each one's best: seconds per batch by the clock and of the processor. Ratios are to
`Baseline`, of the processor. With `--torch_python` the same network in PyTorch takes part, in a
process of its own.
"""

import dataclasses
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import numpy as np
import tensorflow as tf
from absl import flags

from tfreid.methods import METHODS
from tfreid.training.building import build_model
from tfreid.training.trainable import freeze_all_but
from tfreid.training.update import make_optimizers, make_update

_ROUNDS = flags.DEFINE_integer("rounds", 5, "Measurements of each.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch", 8, "Images in a batch.", lower_bound=1)
_TORCH = flags.DEFINE_string("torch_python", None, "A Python with PyTorch, to compare with.")

_PERSONS = 751
_INFO = SimpleNamespace(num_persons=_PERSONS, num_cameras=6)
_BASELINE = {
    "target_enhancement": False,
    "background_branch": False,
    "gate_background": False,
    "target_attention": "none",
    "pyramid_stripes": (),
}
_ROWS = {
    "Baseline": _BASELINE,
    "+ TEM": _BASELINE | {"target_enhancement": True},
    "+ TEM + BG + IA + TAL": {"pyramid_stripes": ()},
    "FA-Net": {},
}

Action = Callable[[], np.ndarray]
"""Does it once; returns seconds by the clock and of the processor."""


def timed(function: Callable[[], tf.Tensor]) -> Action:
    """Returns the action of a function; its first call, here, traces it."""
    function()

    def action() -> np.ndarray:
        started = np.array([time.perf_counter(), time.process_time()])
        function().numpy()
        return np.array([time.perf_counter(), time.process_time()]) - started

    return action


def actions(changes: dict) -> tuple[Action, Action]:
    """Returns a training step and the description of a batch for a row of Table I."""
    method = METHODS["fanet"]
    recipe = dataclasses.replace(method.recipe(), weights="none", **changes)
    stage = dataclasses.replace(method.stages(recipe)[0], batch_size=_BATCH.value)
    model = build_model(method, recipe, _INFO)
    strategy = tf.distribute.get_strategy()
    step = tf.Variable(0, dtype=tf.int64)
    variables = freeze_all_but(model, stage)
    optimizers = make_optimizers(stage, variables, step, 0)
    update = make_update(strategy, model, stage, variables, optimizers, step, seed=0)
    random = np.random.default_rng(0)
    shape = (_BATCH.value, *recipe.image_size_px, 3)
    batch = {
        "image": tf.constant(random.uniform(0, 255, shape), tf.float32),
        "label": tf.constant(random.integers(0, _PERSONS, _BATCH.value)),
        "camera": tf.constant(random.integers(0, 6, _BATCH.value)),
    }
    embed = tf.function(method.inference(model).embed)
    return timed(lambda: update(batch)["total"]), timed(lambda: embed(batch["image"]))


class Torch:
    """ResNet-50 in PyTorch, in a process of its own."""

    def __init__(self, python: str, image_size_px: tuple[int, int]):
        """Starts the process and waits until the network is built."""
        script = Path(__file__).with_name("_torch_resnet.py")
        arguments = map(str, (_BATCH.value, *image_size_px, _PERSONS))
        self._process = subprocess.Popen(
            [python, script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._process.stdout.readline().strip()

    def action(self, what: str) -> Action:
        """Returns `train` or `infer` as an action."""

        def action() -> np.ndarray:
            print(what, file=self._process.stdin, flush=True)
            return np.array(self._process.stdout.readline().split(), float)

        action()
        return action


def main() -> None:
    """Runs the benchmark and prints two tables."""
    rows = {name: actions(changes) for name, changes in _ROWS.items()}
    if _TORCH.value:
        size_px = METHODS["fanet"].recipe().image_size_px
        torch = Torch(_TORCH.value, size_px)
        rows[f"Baseline, PyTorch {torch.version}"] = torch.action("train"), torch.action("infer")
    best = {(name, kind): np.full(2, np.inf) for name in rows for kind in (0, 1)}
    for _ in range(_ROUNDS.value):
        for name, kind in best:
            best[name, kind] = np.minimum(best[name, kind], rows[name][kind]())
    print(f"batches of {_BATCH.value} images, {os.cpu_count()} processor cores")
    for kind, title in enumerate(("training step", "descriptors")):
        print(f"\n| {title} | s/batch | images/s | CPU s/batch | ratio |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name in rows:
            clock, processor = best[name, kind]
            ratio = processor / best["Baseline", kind][1]
            print(
                f"| {name} | {clock:.2f} | {_BATCH.value / clock:.1f} | {processor:.2f} "
                f"| {ratio:.2f} |"
            )


if __name__ == "__main__":
    command.run(main)
