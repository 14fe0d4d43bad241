import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.losses import identity_loss
from tfreid.methods.schedules import PlateauDecay, StepDecay


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


@pytest.mark.parametrize(
    ("rule", "plateaus", "expected"),
    [
        ("exponential_shift", 11, lambda k: 0.01 * 0.9**k),
        ("polynomial", 10, lambda k: 0.01 * (1 - k / 10) ** 0.9),
    ],
)
def test_plateaus_have_equal_lengths_and_the_rates_of_their_rule(rule, plateaus, expected):
    schedule = tf.function(PlateauDecay(4 * plateaus, 0.01, rule))
    rates = [float(schedule(tf.constant(step, tf.int64))) for step in range(4 * plateaus)]
    np.testing.assert_allclose(rates, [expected(step // 4) for step in range(len(rates))], 1e-5)
    assert float(schedule(tf.constant(10**9, tf.int64))) == rates[-1]


def test_an_unknown_rule_is_refused():
    with pytest.raises(UsageError, match="rule='cosine' is not known"):
        PlateauDecay(10, 0.1, "cosine")


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
