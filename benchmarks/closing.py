"""Seconds to close iterators of the training inputs, without and with TensorFlow's tuning.

    python -m benchmarks.closing

Each iterator gives batches for some seconds and is closed. A thread that tunes it while it runs
(`tf.data.Options.autotune`) may be woken a moment too early to see that it is to end: to close the
iterator then takes about as long again as it was open, up to a minute, in which nothing is done.
Which ones it hits is chance, more so on busy machines.
"""

import tempfile
import time
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import tensorflow as tf
from absl import flags

from benchmarks._records import make_folder
from tfreid.inputs import InputSpec, Mirror, training_batches

_ITERATORS = flags.DEFINE_integer("iterators", 20, "How many are closed of each kind.", 1)
_SECONDS = flags.DEFINE_float("seconds", 3.0, "How long each of them is open.", 0.1)

_SPEC = InputSpec((144, 56), augmentation=(Mirror(0.5),))
_LONG_S = 0.3


def seconds_to_close(dataset: tf.data.Dataset) -> float:
    """Takes batches of a data set for a while; returns how long it takes to close it then."""
    iterator, end = iter(dataset), time.monotonic() + _SECONDS.value
    while time.monotonic() < end:
        next(iterator)
    started = time.monotonic()
    del iterator
    return time.monotonic() - started


def main() -> None:
    """Prints a Markdown table."""
    with tempfile.TemporaryDirectory() as out:
        folder, _ = make_folder(Path(out), 512)
        print(f"| {_ITERATORS.value} iterators | waits | longest s | all s |")
        print("| --- | ---: | ---: | ---: |")
        for tuned in (False, True):
            options = tf.data.Options()
            options.autotune.enabled = tuned
            batches = training_batches(folder, "train", _SPEC, 32, seed=0).with_options(options)
            took = [seconds_to_close(batches) for _ in range(_ITERATORS.value)]
            waits = sum(seconds > _LONG_S for seconds in took)
            name = "tuned by TensorFlow" if tuned else "ours"
            print(f"| {name} | {waits} | {max(took):.2f} | {sum(took):.1f} |", flush=True)


if __name__ == "__main__":
    command.run(main)
