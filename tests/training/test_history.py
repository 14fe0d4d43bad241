"""Losses read back from TensorBoard's events."""

import numpy as np
import pytest
import tensorflow as tf
import toy

from tfreid.training import Run, read_losses
from tfreid.training.summaries import Summaries

STAGES = toy.stages()


def write(run, *logged):
    """Writes one events file, as one process does."""
    summaries = Summaries(run.events)
    for step, scalars in logged:
        summaries.scalars(scalars, step)
    images = tf.zeros((2, 8, 4, 3))
    summaries.pictures("main", toy.build(), {"image": images}, 1)
    summaries.close()


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_losses_of_a_resumed_run(run):
    write(
        run,
        (2, {"main/identity": 4.0, "main/total": 9.0, "main/camera": 5.0}),
        (4, {"main/identity": 3.0, "main/images_per_s": 7.0, "main/gradient_norm": 2.0}),
        (6, {"main/identity": 99.0, "main/learning_rate/head": 0.1}),
    )
    write(
        run,
        (4, {"main/identity": 3.5}),
        (6, {"main/identity": 2.5, "evaluation/accuracy": 0.5}),
        (8, {"second/identity": 1.5}),
    )
    losses = read_losses(run, STAGES)
    assert {loss: [c.stage for c in curves] for loss, curves in losses.items()} == {
        "identity": ["main", "second"],
        "camera": ["main"],
    }
    main, second = losses["identity"]
    np.testing.assert_array_equal(main.steps, [2, 4, 6])
    np.testing.assert_array_equal(main.values, [4.0, 3.5, 2.5])
    np.testing.assert_array_equal((second.steps, second.values), [[8], [1.5]])


def test_a_file_that_ends_within_an_event_is_read_up_to_there(run):
    write(run, (2, {"main/identity": 4.0}))
    (file,) = run.events.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    (curve,) = read_losses(run, STAGES)["identity"]
    np.testing.assert_array_equal(curve.steps, [2])


def test_a_run_without_events_has_no_losses(run):
    assert read_losses(run, STAGES) == {}
