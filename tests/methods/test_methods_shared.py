import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf

from docs.hooks import recipe_tables
from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.fields import leaves, sources
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


def test_step_decay_can_subtract_down_to_the_least_rate():
    """As the authors' code of DGD: 0.1, less 4% of it every 2,000 steps, not below 0.0005."""
    schedule = StepDecay(55_000, 0.1, 0.96, 2_000, 25, subtract=True, least_rate=0.0005)
    rates = [float(schedule(tf.constant(s, tf.int64))) for s in (0, 25_999, 26_000, 49_999, 50_000)]
    np.testing.assert_allclose(rates, [0.1, 0.052, 0.048, 0.004, 0.0005], rtol=1e-4)
    tenth = schedule.scaled(0.1)
    np.testing.assert_allclose(tenth(tf.constant(54_999, tf.int64)), 0.00005, rtol=1e-4)


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


def recipes():
    """Each method's recipe at the paper's scale, and its presets."""
    for name, method in METHODS.items():
        for given in ({}, *map(dict, method.presets)):
            yield pytest.param(method.base_recipe("paper", given), id=f"{name}-{given}")


@pytest.mark.parametrize("recipe", recipes())
def test_each_field_is_the_papers_with_its_place_or_a_choice_with_its_reason(recipe):
    declared = dict(sources(recipe))
    assert [*declared] == [name for name, _ in leaves(recipe)]
    assert [name for name, source in declared.items() if source is None or not source.text] == []
    placeless = [
        f"{name}: {source.text}"
        for name, source in declared.items()
        if source.stated and not re.search(r"sections? [IV\d]|eq\. \d|Table|Figure", source.text)
    ]
    assert placeless == []
    assert all(recipe.open_points.values())


@pytest.mark.parametrize("recipe", recipes())
def test_declarations_name_fields_that_there_are(recipe):
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        assert (
            set(field.metadata.get("parts", ())) <= {name for name, _ in leaves(value)}
            if (dataclasses.is_dataclass(value))
            else not field.metadata.get("parts")
        )
    for (name, _), declared in getattr(recipe, "presets", {}).items():
        assert {name, *declared} <= {field.name for field in dataclasses.fields(recipe)}


def test_the_page_of_methods_says_what_the_recipes_declare():
    text = recipe_tables.PAGE.read_text(encoding="utf-8")
    assert text == recipe_tables.written(text), "run python -m docs.hooks.recipe_tables"
    assert [*re.findall(r"<!-- recipe (\w+) -->", text)] == [
        "pgp",
        "fanet",
        "spreid",
        "fpr",
        "parsing",
        "dgd",
    ]
