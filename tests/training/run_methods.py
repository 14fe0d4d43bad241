"""Trains the last stage of all methods, tiny ones, by one update: `python -m run_methods OUT`.

A process can make one strategy for several workers, so they share it. The losses of the update are
written to `OUT/METHOD.json`, the weights after it are in `OUT/METHOD/checkpoints`.
"""

import dataclasses
import functools
import json
import sys
import time
from pathlib import Path

import tensorflow as tf

from tfreid import training
from tfreid.methods import METHODS
from tfreid.training import runner
from tfreid.training.building import build_model
from tfreid.training.probe import INFO, noise_batch
from tfreid.training.strategy import wait_for_all_workers
from tfreid.training.update import make_update

_PARSER = {"width": 0.05, "image_size_px": (32, 32), "batch_size": 8}
TINY = {
    "dgd": {"width": 0.05, "image_size_px": (32, 16), "batch_size": 8, "dropout": 0.0},
    "fanet": {"image_size_px": (64, 32), "attention_maps": 4, "pyramid_stripes": (1, 2)},
    "fpr": {"image_size_px": (64, 32), "kernels": (2,)},
    "parsing": _PARSER,
    "pgp": _PARSER
    | {"branches": 1}
    | {f"parsing.{name}": value for name, value in _PARSER.items()},
    "spreid": {
        "image_size_px": (76, 76),
        "backbone_size_px": (64, 32),
        "backbone": "resnet14",
        "backbone_width": 0.125,
        "batch_size": 8,
        "parsing.image_size_px": (76, 76),
        "parsing.batch_size": 8,
        "parsing.width": 0.1,
    },
}
for _name in ("fanet", "fpr"):
    TINY[_name] |= {"backbone_width": 0.125, "persons_per_batch": 4, "images_per_person": 2}


def noise(stage, start_step, part):
    """A batch of noise, or a part of it."""
    size = stage.batch_size // part[1]
    return tf.data.Dataset.from_tensors(
        {name: value[part[0] * size :][:size] for name, value in noise_batch(stage).items()}
    )


def trained(name, out, strategy):
    """Trains a method; returns its losses."""
    method, losses = METHODS[name], {}
    recipe = method.recipe_with("demo", TINY[name])
    stage = dataclasses.replace(method.stages(recipe)[-1], steps=1)

    def recording_update(*arguments):
        update = make_update(*arguments)

        def recording(batch):
            values = update(batch)
            losses.update({name: float(value.numpy()) for name, value in values.items()})
            return values

        return recording

    runner.make_update = recording_update
    runner.refuse_untrained = lambda *_: None  # What earlier stages train is random here.
    options = training.WatchOptions(checkpoint_every_steps=1)
    build = functools.partial(build_model, method, recipe, INFO)
    training.train(build, [stage], noise, training.Run(out, method), strategy, 0, options)
    return losses


def main(out):
    strategy = training.make_strategy()
    for name in METHODS:
        started = time.process_time()
        losses = trained(name, out / name, strategy)
        print(f"{name}: {time.process_time() - started:.0f} s of processor time", flush=True)
        if training.is_chief():
            (out / f"{name}.json").write_text(json.dumps(losses))
    wait_for_all_workers(strategy)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
