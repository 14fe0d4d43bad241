"""Images per second of the training loop against a bare training step on the same batch.

    python -m benchmarks.training_loop
    python -m benchmarks.training_loop --method=fanet

The bare step is a `tf.function` with nothing but forward, gradient and `keras.optimizers.SGD`,
called again and again. The loop is `tfreid.training.train` as a run has it: checks, TensorBoard,
progress, checkpoints. Both train a method at demo scale on one batch that is in memory, in the same
process; rounds alternate, and the table shows each one's best: images per second by the clock, and
processor time per image, which a busy machine disturbs less. Ratios are to `bare`.
"""

import dataclasses
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import keras
import numpy as np
import tensorflow as tf
from absl import flags

from tfreid import training
from tfreid.methods import METHODS, Stage
from tfreid.training.building import build_model

_METHOD = flags.DEFINE_enum("method", "dgd", ["dgd", "fanet"], "What to train.")
_STEPS = flags.DEFINE_integer("steps", 25, "Steps of each measurement.", lower_bound=10)
_ROUNDS = flags.DEFINE_integer("rounds", 12, "Measurements of each.", lower_bound=1)

_PERSONS = 100
_INFO = SimpleNamespace(num_persons=_PERSONS, num_cameras=6, mean_pixel=(110.0, 105.0, 100.0))


def now() -> np.ndarray:
    """Returns the time by the clock and that of the processor, in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def make_batch(stage: Stage) -> dict[str, tf.Tensor]:
    """Returns a batch of noise."""
    random = np.random.default_rng(0)
    shape = (stage.batch_size, *stage.inputs.image_size_px, 3)
    return {
        "image": tf.constant(random.uniform(0, 255, shape), tf.float32),
        "label": tf.constant(random.integers(0, _PERSONS, stage.batch_size), tf.int32),
        "camera": tf.constant(random.integers(0, _INFO.num_cameras, stage.batch_size), tf.int32),
    }


def bare_step(model: keras.Model, stage: Stage) -> Callable[[dict[str, tf.Tensor]], tf.Tensor]:
    """Returns the least that a training step must do."""
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            losses = stage.losses(stage.forward(model, batch, True), batch)
            weighted = [stage.loss_weights.get(name, 1.0) * v for name, v in losses.items()]
            loss = tf.reduce_mean(tf.add_n(weighted))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step


def measure(out: Path) -> dict[str, np.ndarray]:
    """Returns the least time of a step, in seconds by the clock and of the processor."""
    method = METHODS[_METHOD.value]
    recipe = method.demo()
    rounds, steps = _ROUNDS.value, _STEPS.value
    stage = dataclasses.replace(method.stages(recipe)[0], steps=(rounds + 1) * steps)
    batch = make_batch(stage)
    step = bare_step(build_model(method, recipe, _INFO), stage)
    step(batch)
    best = {"bare": np.full(2, np.inf), "loop": np.full(2, np.inf)}
    started = now()

    def alternate(model: keras.Model, number: int) -> dict[str, float]:
        """Ends the loop's round and runs one of the bare step; the loop calls it."""
        nonlocal started
        if number > steps:  # The first round includes the tracing.
            best["loop"] = np.minimum(best["loop"], (now() - started) / steps)
        started = now()
        for _ in range(steps):
            loss = step(batch)
        loss.numpy()
        best["bare"] = np.minimum(best["bare"], (now() - started) / steps)
        started = now()
        return {}

    training.train(
        lambda: build_model(method, recipe, _INFO),
        [stage],
        lambda stage, start_step, part: tf.data.Dataset.from_tensors(batch).repeat(),
        training.Run(out),
        training.make_strategy(),
        seed=0,
        options=training.WatchOptions(log_every_steps=steps, evaluate_every_steps=steps),
        evaluate=alternate,
    )
    return {name: seconds / stage.batch_size for name, seconds in best.items()}


def main() -> None:
    """Runs the benchmark and prints a table."""
    out = Path(tempfile.mkdtemp())
    try:
        best = measure(out)
    finally:
        shutil.rmtree(out)
    print("| what | images/s | ratio | CPU µs/image | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, times in best.items():
        clock, processor = best["bare"] / times
        print(
            f"| {name} | {1 / times[0]:,.0f} | {clock:.2f} | {1e6 * times[1]:,.0f} "
            f"| {processor:.2f} |"
        )


if __name__ == "__main__":
    command.run(main)
