import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfreid.methods import METHODS
from tfreid.methods.losses import identity_loss
from tfreid.methods.schedules import StepDecay


def test_identity_loss_matches_float64():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(6, 9)), rng.integers(0, 9, 6)
    expected = np.log(np.exp(logits).sum(1)) - logits[np.arange(6), labels]
    actual = identity_loss(tf.constant(logits, tf.float32), tf.constant(labels))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_step_decay_changes_exactly_at_its_steps():
    schedule = tf.function(StepDecay(10, 0.8, 0.5, every_steps=3, decays=2))
    rates = [float(schedule(tf.constant(step, tf.int64))) for step in range(10)]
    np.testing.assert_allclose(rates, [0.8] * 3 + [0.4] * 3 + [0.2] * 4)


@pytest.mark.parametrize("name", METHODS)
def test_demo_changes_scale_but_not_fields(name):
    method = METHODS[name]
    assert method.name == name
    assert type(method.demo()) is method.recipe
    assert dataclasses.is_dataclass(method.recipe)
    with pytest.raises(dataclasses.FrozenInstanceError):
        method.demo().batch_size = 1


@pytest.mark.parametrize("name", METHODS)
def test_choices_are_documented(name):
    pages = (Path(__file__).parents[2] / "docs" / "methods.md").read_text().split("\n## ")
    page = next(page for page in pages if page.lower().replace("-", "").startswith(name))
    fields = dataclasses.fields(METHODS[name].recipe)
    choices = [field.name for field in fields if field.metadata.get("choice")]
    assert choices
    assert [choice for choice in choices if f"`{choice}`" not in page] == []
