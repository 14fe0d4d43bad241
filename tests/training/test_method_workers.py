"""Each method as one of two workers: its update is that of one process with the same batch."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.cluster import cluster_of
from tests.commands import Command
from tfreid.methods import METHODS


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory):
    """Folder of all methods, trained by one process and by two workers."""
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    running = [Command("run_methods", one)]
    running += [Command("run_methods", two, TF_CONFIG=config) for config in cluster_of(2)]
    for command in running:
        ended = command.finish()
        assert ended.returncode == 0, ended.stderr
    return one, two


def first_update(folder):
    """Weights and optimizers' state after the first step, by what they are."""
    reader = tf.train.load_checkpoint(folder / "checkpoints/ckpt-1")
    names = sorted(reader.get_variable_to_shape_map())
    return {
        kind: [reader.get_tensor(name) for name in names if name.startswith(f"{kind}/")]
        for kind in ("weights", "momentum")
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_two_workers_give_the_update_of_one_process(one_and_two, name):
    """One alone: from there on, PGP's loss doubles the difference of rounding at each step."""
    wanted, found = (json.loads((folder / f"{name}.json").read_text()) for folder in one_and_two)
    assert wanted
    assert found == pytest.approx(wanted, rel=1e-4)
    wanted, found = (first_update(folder / name) for folder in one_and_two)
    largest = max(np.abs(values).max() for values in wanted["momentum"])
    for one, two in zip(wanted["momentum"], found["momentum"], strict=True):
        np.testing.assert_allclose(two, one, rtol=0, atol=2e-3 * largest)
    wrong = [
        np.abs(two - one) > 2e-4 * max(1.0, np.abs(one).max())
        for one, two in zip(wanted["weights"], found["weights"], strict=True)
    ]
    # FPR's Adam takes a whole step, too, where the gradient is nothing but rounding.
    share = np.mean(np.concatenate([values.ravel() for values in wrong]))
    assert share <= (0.01 if name == "fpr" else 0.0)
