"""Runs that are killed, stopped or spread over devices, each in processes of its own."""

import random
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.cluster import cluster_of
from tests.commands import Command

STEPS = 12  # of each of the two stages


def start(out, devices=1, dropout=0.5, steps=STEPS, pause_s=0.0, **environment):
    environment["GRAPHS_AS_USERS_RUN"] = "1"
    return Command("run_toy", out, devices, dropout, steps, pause_s, **environment)


def finish(out, **settings):
    process = start(out, **settings)
    assert process.finish().returncode == 0
    return weights(out)


def weights(out):
    with np.load(out / "weights.npz") as arrays:
        return [arrays[name] for name in arrays.files]


def signal_after(process, lines, number):
    while process.output().count("\n") < lines:
        assert process.poll(0.01) is None
    process.send_signal(number)
    return process.finish().stdout


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("runs") / "uninterrupted")


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory):
    """Folder and weights of the same run on one and on two devices."""
    root = tmp_path_factory.mktemp("devices")
    return [(root / f"{n}", finish(root / f"{n}", devices=n, dropout=0.0)) for n in (1, 2)]


@pytest.mark.slow
def test_a_run_killed_three_times_ends_with_the_same_bits(uninterrupted, tmp_path):
    moments = random.Random(4)
    for _ in range(3):
        process = start(tmp_path / "killed", pause_s=0.05)
        signal_after(process, moments.randint(1, 8), signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    for wanted, found in zip(uninterrupted, finish(tmp_path / "killed"), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_the_run_continues_to_the_same_bits(
    uninterrupted, tmp_path, number, code
):
    process = start(tmp_path / "stopped", pause_s=0.2)
    output = signal_after(process, 5, number)
    assert process.returncode == code
    step = int(Path(tf.train.latest_checkpoint(tmp_path / "stopped/checkpoints")).name[5:])
    assert f"saved at step {step}; the same command continues it" in output
    for wanted, found in zip(uninterrupted, finish(tmp_path / "stopped"), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.slow
def test_two_devices_give_the_update_of_one(one_and_two):
    (_, one), (_, two) = one_and_two
    for wanted, found in zip(one, two, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_two_workers_give_the_update_of_one_though_one_was_killed(one_and_two, tmp_path):
    first, second = start_two(tmp_path, pause_s=0.2)
    signal_after(second, 6, signal.SIGKILL)
    left = first.finish()
    assert left.returncode == 1
    # Which one, TensorFlow knows only where it has lost the worker and not a connection.
    assert re.search(r"(worker 1|another worker) of TF_CONFIG ended or cannot be", left.stderr)
    assert "Traceback" not in left.stderr
    assert tf.train.latest_checkpoint(tmp_path / "checkpoints")
    for worker in start_two(tmp_path):
        assert worker.finish().returncode == 0
    for wanted, found in zip(one_and_two[0][1], weights(tmp_path), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


def start_two(out, pause_s=0.0):
    return [start(out, dropout=0.0, pause_s=pause_s, TF_CONFIG=config) for config in cluster_of(2)]


@pytest.mark.slow
def test_two_devices_report_the_losses_of_one(one_and_two):
    one, two = (scalars(folder / "events") for folder, _ in one_and_two)
    assert "second/total" in one
    assert one.keys() == two.keys()
    for tag, value in one.items():
        assert two[tag] == pytest.approx(value, abs=1e-5), tag


def scalars(folder):
    """Tag -> last value in TensorBoard's events, speed left out."""
    values = {}
    for file in folder.iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                if value.tensor.dtype == tf.float32.as_datatype_enum:
                    values[value.tag] = float(tf.make_ndarray(value.tensor))
    return {tag: value for tag, value in values.items() if not tag.endswith("images_per_s")}
