"""Images per second of the training loop, from records, against the least that it can take.

    python -m benchmarks.training_loop
    python -m benchmarks.training_loop --method=pgp

`bare step` is a `tf.function` with nothing but forward, gradient and `keras.optimizers.SGD`, called
again and again on one batch that is in memory. `loop` is `tfreid.training.train` as a run has it:
records, augmentation, checks, TensorBoard, progress. Both train a method at demo scale (PGP without
branches, with random backgrounds). Here they share the processor with the input, which an
accelerator would leave to it.

So the same loop is timed at paper scale with a step that sleeps instead of computing, against
`decoding alone`: the files of the images, of the masks too where the stage reads them, in memory,
decoded, resized and batched. `no step` does not sleep: it shows what the input delivers. `asleep`
takes as long as decoding a batch does, and like an accelerator it is given the next step before it
has ended one, so that what waking up takes is not lost: input and step must overlap whole. What is
lost all the same shows the same loop with one batch in memory.

Rounds alternate in one process, and the table shows each one's best: images per second by the
clock, and processor time per image, which a busy machine disturbs less.
"""

import dataclasses
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import keras
import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks._records import bare, make_folder
from tfreid import training
from tfreid.inputs import training_batches
from tfreid.methods import METHODS, Group, Method, Stage
from tfreid.records import Records
from tfreid.training.building import build_model
from tfreid.training.trainable import freeze_all_but

_METHOD = flags.DEFINE_enum("method", "dgd", ["dgd", "fanet", "pgp"], "What to train.")
_STEPS = flags.DEFINE_integer("steps", 25, "Steps of each measurement.", lower_bound=10)
_ROUNDS = flags.DEFINE_integer("rounds", 12, "Measurements of each.", lower_bound=1)

_IMAGES = 2048
_SLEEPING_STEPS = 30  # times as many, beside which a checkpoint and a log are little


def now() -> np.ndarray:
    """Returns the time by the clock and that of the processor, in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def bare_step(model: keras.Model, stage: Stage) -> Callable[[dict[str, tf.Tensor]], tf.Tensor]:
    """Returns the least that a training step must do."""
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    variables = list(itertools.chain(*freeze_all_but(model, stage)))
    optimizer.build(variables)

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            losses = stage.losses(stage.forward(model, batch, True), batch)
            weighted = [stage.loss_weights.get(name, 1.0) * v for name, v in losses.items()]
            loss = tf.reduce_mean(tf.add_n(weighted))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return step


class Sleeper(keras.Model):
    """A network whose step takes time, but no processor; one step waits while another runs."""

    def __init__(self, seconds: float):
        """Stores how long a step takes."""
        super().__init__()
        self.seconds, self.ends, self.head = seconds, 0.0, keras.layers.Dense(1)
        self.head.build((None, 3))

    def call(self, images: tf.Tensor, training: bool | None = None) -> dict[str, tf.Tensor]:
        """Sleeps, and looks at one pixel."""
        pixel = tf.numpy_function(self._sleep, [images[:, 0, 0]], tf.float32)
        return {"head": self.head(tf.ensure_shape(pixel, (images.shape[0], 3)))[:, 0]}

    def _sleep(self, pixel: np.ndarray) -> np.ndarray:
        """Begins a step once the one before has ended, and returns then."""
        wait = max(0.0, self.ends - time.perf_counter())
        self.ends = time.perf_counter() + wait + self.seconds
        time.sleep(wait)
        return pixel


def sleeping(stage: Stage) -> Stage:
    """Returns the stage with the step of `Sleeper`."""
    group = Group("head", lambda model: [model.head], lambda step: tf.constant(0.0))
    losses = lambda outputs, batch: {"loss": outputs["head"]}  # noqa: E731
    return Stage("sleep", "reid", stage.inputs, stage.batch_size, stage.steps, (group,), losses)


def best_times(
    build: Callable[[], keras.Model],
    stage: Stage,
    batches: Callable[[Stage, int, tuple[int, int]], tf.data.Dataset],
    steps: int,
    other: Callable[[], object],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least time of a step of the loop and of `other`, in seconds: clock, processor."""
    loop, others, started = np.full(2, np.inf), np.full(2, np.inf), now()

    def alternate(model: keras.Model, number: int) -> dict[str, float]:
        """Ends the loop's round and runs one of the other; the loop calls it."""
        nonlocal loop, others, started
        if number > steps:  # The first round includes the tracing.
            loop = np.minimum(loop, (now() - started) / steps)
        started = now()
        for _ in range(steps):
            other()
        others = np.minimum(others, (now() - started) / steps)
        started = now()
        return {}

    stage = dataclasses.replace(stage, steps=(_ROUNDS.value + 1) * steps)
    out = Path(tempfile.mkdtemp())
    try:
        training.train(
            build,
            [stage],
            batches,
            training.Run(out),
            tf.distribute.get_strategy(),
            seed=0,
            options=training.WatchOptions(log_every_steps=steps, evaluate_every_steps=steps),
            evaluate=alternate,
        )
    finally:
        shutil.rmtree(out)
    return loop, others


def from_records(
    folder: Records, stage: Stage, start: int, part: tuple[int, int]
) -> tf.data.Dataset:
    """Returns the batches of a stage as a run has them."""
    steps = stage.steps - start
    return training_batches(folder, "train", stage.inputs, stage.batch_size, 0, start, steps, part)


def first_stage(method: Method, recipe: Any) -> tuple[Any, Stage]:
    """Returns the recipe and its first stage on persons."""
    if method.name == "pgp":
        recipe = dataclasses.replace(recipe, branches=0)  # which would need a parsing network
    return recipe, method.stages(recipe)[0]


def rows(folder: Records, files: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields what was timed, with clock and processor time of an image; first what is the least."""
    method = METHODS[_METHOD.value]
    recipe, stage = first_stage(method, method.demo())
    size = stage.batch_size
    (batch,) = training_batches(folder, "train", stage.inputs, size, seed=0, steps=1)
    step = bare_step(build_model(method, recipe, folder.info), stage)
    step(batch)
    build = partial(build_model, method, recipe, folder.info)
    records = partial(from_records, folder)
    loop, least = best_times(build, stage, records, _STEPS.value, lambda: step(batch))
    yield from (("bare step", least / size), ("loop", loop / size))

    _, stage = first_stage(method, method.recipe())
    size = stage.batch_size
    (batch,) = training_batches(folder, "train", stage.inputs, size, seed=0, steps=1)
    memory = lambda *_: tf.data.Dataset.from_tensors(batch).repeat()  # noqa: E731
    read = files if stage.inputs.needs_masks else [pair[:1] for pair in files]
    decoded = iter(bare(read, stage.inputs.image_size_px, size))
    steps = _SLEEPING_STEPS * _STEPS.value
    started = now()
    for _ in range(steps):
        next(decoded)
    sleep = (now() - started)[0] / steps
    least, loops = np.full(2, np.inf), {}
    for name, seconds, batches in (
        ("loop, no step", 0.0, records),
        ("loop, asleep, one batch in memory", sleep, memory),
        ("loop, asleep", sleep, records),
    ):
        build = partial(Sleeper, seconds)
        loops[name], alone = best_times(
            build, sleeping(stage), batches, steps, lambda: next(decoded)
        )
        least = np.minimum(least, alone)
    yield "decoding alone", least / size
    yield from ((name, loop / size) for name, loop in loops.items())


def main() -> None:
    """Runs the benchmark and prints a table."""
    root = Path(tempfile.mkdtemp())
    least = np.full(2, np.nan)
    print("| what | images/s | ratio | CPU µs/image | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    try:
        for name, times in rows(*make_folder(root, _IMAGES)):
            least = times if name in ("bare step", "decoding alone") else least
            clock, processor = least / times
            print(
                f"| {name} | {1 / times[0]:,.0f} | {clock:.2f} | {1e6 * times[1]:,.0f} "
                f"| {processor:.2f} |",
                flush=True,
            )
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    command.run(main)
