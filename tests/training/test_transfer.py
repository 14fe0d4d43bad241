"""Runs that start from the weights of another."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import toy

from tfreid import training
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.methods import METHODS, Method
from tfreid.training.transfer import LOADED, copy_parts


class Parted(toy.Toy):
    """Names its parts; the second head starts from published weights, which are all 3."""

    def __init__(self, channels=4):
        super().__init__(dropout=0.0)
        self.conv = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)

    @property
    def parts(self):
        return {"backbone": self.conv, "norm": self.norm, "head": self.second} | {
            "first_classifier": self.first
        }


@dataclasses.dataclass(frozen=True)
class Recipe:
    steps: int = 2
    channels: int = 4
    train_backbone: bool = True
    continues: bool = False


def publish(model):
    model.second.set_weights([np.full(w.shape, 3.0) for w in model.second.get_weights()])


def stages(recipe):
    def losses(outputs, batch):
        head = "second" if "second" in outputs else "first"
        return toy.cross_entropy(head)(outputs, {"label": batch["label"] % toy.PERSONS})

    main, second = toy.stages(recipe.steps)
    if not recipe.train_backbone:
        main = dataclasses.replace(main, groups=main.groups[1:])

    def forward(model, batch, training):
        return {"first": model(batch["image"], training=training)["first"]}

    return (
        dataclasses.replace(main, losses=losses, forward=forward, continues=recipe.continues),
        dataclasses.replace(second, losses=losses, start=publish),
    )


@pytest.fixture
def method(monkeypatch):
    def build(recipe, info):
        return Parted(recipe.channels)

    method = Method("toy", Recipe, Recipe, build, stages)
    monkeypatch.setitem(METHODS, "toy", method)
    return method


@pytest.fixture
def train(method, reid_folder, tmp_path):
    def train(name, recipe=None, **options):
        out = tmp_path / name
        data = {"reid": reid_folder}
        return training.fit(method, recipe or Recipe(), data, out, **options).model

    return train


def built(channels=4):
    model = Parted(channels)
    model(tf.zeros((1, toy.HEIGHT, toy.WIDTH, 3)))
    return model


def assert_equal_weights(one, other):
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


# ---- Part by part.


def test_parts_are_copied_and_classifiers_start_anew(tmp_path):
    keras.utils.set_random_seed(1)
    source, target = built(), built()
    before = target.first.get_weights()
    outcomes = copy_parts(source, target, tmp_path)
    assert {name: outcome == LOADED for name, outcome in outcomes.items()} == {
        "backbone": True,
        "norm": True,
        "head": True,
        "first_classifier": False,
    }
    for name in ("backbone", "norm", "head"):
        assert_equal_weights(source.parts[name], target.parts[name])
    for weight, old in zip(target.first.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_a_part_of_another_shape_is_refused_and_nothing_is_copied(tmp_path):
    source, target = built(channels=6), built()
    before = target.get_weights()
    with pytest.raises(UsageError) as refusal:
        copy_parts(source, target, tmp_path)
    text = str(refusal.value)
    assert "backbone: 1 of 1 weights differ in shape, the first (3, 3, 3, 6) there" in text
    assert "(3, 3, 3, 4) here" in text
    assert f"settings that they have in {tmp_path}/recipe.json" in text
    for weight, old in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_nothing_in_common_is_refused(tmp_path):
    with pytest.raises(UsageError, match="its parts are not named, this model's backbone, norm"):
        copy_parts(toy.build(), built(), tmp_path)


# ---- A run from a run.


def test_a_run_starts_from_another_and_says_from_what(train, tmp_path, capsys):
    source = train("source", seed=1)
    model = train("run", Recipe(steps=1), init_from=tmp_path / "source")
    # One small step away, while random weights would be far.
    for name in ("backbone", "norm"):
        for ours, theirs in zip(
            model.parts[name].get_weights(), source.parts[name].get_weights(), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=0.1)
    assert np.abs(model.conv.get_weights()[0] - source.conv.get_weights()[0]).max() > 0
    said = json.loads((tmp_path / "run/recipe.json").read_text())["init_from"]
    assert said["path"] == str(tmp_path / "source")
    assert said["parts"]["backbone"] == LOADED
    assert said["parts"]["first_classifier"].startswith("starts anew")
    assert "\n  backbone: loaded\n" in capsys.readouterr().out


def test_published_weights_do_not_replace_what_was_loaded(train, tmp_path):
    source = train("source")
    alone = train("alone", Recipe(steps=1), seed=1)
    model = train("run", Recipe(steps=1), seed=1, init_from=tmp_path / "source")
    assert np.abs(alone.second.get_weights()[0] - 3).max() < 0.1
    np.testing.assert_allclose(
        model.second.get_weights()[0], source.second.get_weights()[0], atol=0.1
    )


def test_a_run_is_continued_without_its_origin(train, tmp_path):
    train("source", seed=1)
    whole = train("whole", init_from=tmp_path / "source")

    def stop(model, step):
        raise KeyboardInterrupt

    options = training.WatchOptions(checkpoint_every_steps=1, evaluate_every_steps=2)
    with pytest.raises(KeyboardInterrupt):  # In the first stage's last step.
        train("run", init_from=tmp_path / "source", options=options, evaluate=stop)
    shutil.move(tmp_path / "source", tmp_path / "elsewhere")
    assert_equal_weights(train("run", init_from=tmp_path / "source"), whole)


def test_an_origin_that_changed_is_refused(train, tmp_path):
    train("source", seed=1)
    train("run", init_from=tmp_path / "source")
    with pytest.raises(UsageError, match=r"init_from: .* there, None now"):
        train("run")
    shutil.rmtree(tmp_path / "source")
    train("source", seed=2)
    with pytest.raises(UsageError, match=r"belongs to another run \(init_from: "):
        train("run", init_from=tmp_path / "source")


def test_what_is_neither_trained_nor_loaded_is_refused(train, tmp_path):
    untrained = Recipe(train_backbone=False)
    with pytest.raises(UsageError, match="no stage of this recipe trains the part 'backbone'"):
        train("run", untrained)
    train("source")
    train("run", untrained, init_from=tmp_path / "source")


def test_a_recipe_that_goes_on_needs_what_it_goes_on_from(train, tmp_path):
    recipe = Recipe(continues=True)
    with pytest.raises(UsageError, match=r"'main' of .* goes on from .* init_from=RUN"):
        train("second", recipe)
    assert not (tmp_path / "second").exists()
    train("first")
    train("second", recipe, init_from=tmp_path / "first")


def test_an_origin_that_is_no_run_is_refused(train, tmp_path):
    with pytest.raises(MissingPathError, match="holds no run"):
        train("run", init_from=tmp_path / "nowhere")
    train("source")
    shutil.rmtree(tmp_path / "source/checkpoints")
    with pytest.raises(DataError, match="has no checkpoint yet"):
        train("run", init_from=tmp_path / "source")
    assert not (tmp_path / "run").exists()
