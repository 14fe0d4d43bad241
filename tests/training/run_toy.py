"""Trains the toy in a process of its own: `python -m run_toy OUT DEVICES DROPOUT STEPS PAUSE_S`."""

import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
import toy

from tfreid import training
from tfreid.errors import TrainingError
from tfreid.training.strategy import make_strategy


def main(out: Path, devices: int, dropout: float, steps: int, pause_s: float) -> int:
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(cpu, logical)
    names = [f"CPU:{i}" for i in range(devices)] if devices > 1 else None

    def batches(stage, start_step, part):
        def wait(step):
            print(step, flush=True)
            time.sleep(pause_s)
            return step

        slow = tf.data.Dataset.range(start_step, stage.steps).map(
            lambda step: tf.numpy_function(wait, [step], tf.int64)
        )
        return tf.data.Dataset.zip((slow, toy.batches(stage, start_step, part))).map(lambda _, b: b)

    try:
        model = training.train(
            lambda: toy.build(dropout),
            toy.stages(steps),
            batches,
            training.Run(out),
            make_strategy(names),
            seed=3,
            options=training.WatchOptions(checkpoint_every_steps=3, log_every_steps=2),
        )
    except training.StoppedBySignal as stop:
        print(stop, flush=True)
        return stop.exit_code
    except TrainingError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    if training.is_chief():
        np.savez(out / "weights.npz", *[weight.numpy() for weight in model.weights])
    return 0


if __name__ == "__main__":
    path, devices, dropout, steps, pause_s = sys.argv[1:]
    sys.exit(main(Path(path), int(devices), float(dropout), int(steps), float(pause_s)))
