import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl import flags

from tests.methods.harness import info
from tfreid.cli.recipe_flags import define_recipe_flags
from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.parsing.recipe import ParsingRecipe, build, demo, semantic, semantic_demo, stage


def recipe_of(*arguments):
    argv = ["train", "--method=parsing", *arguments]
    values = flags.FlagValues()
    recipe = define_recipe_flags(argv, ("data",), lambda given: not given["data"], values)
    values(argv, known_only=True)
    return recipe()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--scale=paper"], ParsingRecipe()),
        (["--scale=demo"], demo()),
        (["--scale=paper", "--recipe.architecture=inception_v3"], semantic()),
        (["--data=x", "--recipe.architecture", "inception_v3"], semantic()),
        (["--recipe.architecture=inception_v3"], semantic_demo()),
        (["--scale=paper", "--recipe.architecture=pgp"], ParsingRecipe()),
    ],
)
def test_the_architecture_chooses_the_settings(arguments, expected):
    assert recipe_of(*arguments) == expected


def test_other_flags_change_the_settings_of_the_architecture():
    recipe = recipe_of(
        "--recipe.batch_size=7",
        "--recipe.architecture=inception_v3",
        "--scale=paper",
        "--recipe.clip_norm=3",
    )
    assert recipe == dataclasses.replace(semantic(), batch_size=7, clip_norm=3.0)


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_presets_fit_their_method(scale):
    for method in METHODS.values():
        fields = {field.name for field in dataclasses.fields(method.recipe)}
        assert method.choosing <= fields
        for pairs in method.presets:
            assert type(method.base_recipe(scale, dict(pairs))) is method.recipe


def test_rates_of_the_paper():
    """Section 5: 0.01 for the backbone, 0.1 for pyramid and classifier, 10 decays by 0.9."""
    training = stage(semantic())
    assert [group.name for group in training.groups] == ["backbone", "pyramid", "classifier"]
    for group, rate in zip(training.groups, (0.01, 0.1, 0.1), strict=True):
        steps = tf.constant([0, 2_726, 2_727, 29_999], tf.int64)
        rates = [float(group.schedule(step)) for step in steps]
        np.testing.assert_allclose(rates, rate * 0.9 ** np.array([0, 0, 1, 10]), rtol=1e-5)
        assert (group.momentum, group.nesterov, group.weight_decay) == (0.9, True, 5e-4)
    assert (training.steps, training.batch_size, training.clip_norm) == (30_000, 15, 2.0)
    assert training.inputs.image_size_px == (512, 512)


def test_the_parser_pools_as_its_recipe_says():
    recipe = dataclasses.replace(semantic_demo(), width=0.02, dilated_pooling="plain")
    assert build(recipe, info()).backbone.get_config()["dilated_pooling"] == "plain"


def test_groups_hold_all_trainable_weights():
    recipe = dataclasses.replace(semantic_demo(), width=0.05)
    model = build(recipe, info())
    model.build((None, *recipe.image_size_px, 3))
    layers = [layer for group in stage(recipe).groups for layer in group.layers(model)]
    found = [id(weight) for layer in layers for weight in layer.trainable_variables]
    assert sorted(found) == sorted(id(weight) for weight in model.trainable_variables)


def test_it_serves_as_a_stage_of_another_model():
    recipe = dataclasses.replace(semantic_demo(), width=0.03)
    model = SimpleNamespace(parser=build(recipe, info()))
    model.parser.build((None, 75, 75, 3))
    training = stage(recipe, lambda model: model.parser)
    assert training.start is None
    outputs = training.forward(model, {"image": tf.zeros((1, 75, 75, 3))}, False)
    assert outputs["logits"].shape == (1, 75, 75, 20)
    assert training.groups[2].layers(model) == [model.parser.classifier]


@pytest.mark.slow
def test_it_starts_from_published_weights(tmp_path, capsys):
    path = tmp_path / "inception.weights.h5"
    published = keras.applications.InceptionV3(include_top=False, weights=None)
    published.save_weights(path)
    parser = build(semantic(), info())
    parser.build((None, 75, 75, 3))
    model = SimpleNamespace(parser=parser)
    stage(dataclasses.replace(semantic(), weights=str(path)), lambda m: m.parser).start(model)
    first = parser.backbone.blocks[0].row[0].convolution.kernel
    np.testing.assert_array_equal(first, published.layers[1].get_weights()[0])
    assert "loaded 188 layers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"architecture": "resnet"}, "architecture='resnet' is not known: use one of pgp, "),
        ({"weights": "imagenet"}, "weights='imagenet' with architecture='pgp'"),
        ({"backbone_rate": 0.1}, "PGP's network has one learning rate; leave it at 1.0"),
        ({"classifier_rate": 0.1}, "PGP's network has one learning rate; leave it at 1.0"),
        ({"dilated_pooling": "plain"}, "PGP's network has no dilated blocks"),
        (
            {"architecture": "inception_v3", "parsing_head": "skip"},
            "only PGP's network has other heads",
        ),
        (
            {"architecture": "inception_v3", "image_size_px": (96, 48)},
            "needs 75 px or more in height and width",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, text):
    with pytest.raises(UsageError, match=text):
        dataclasses.replace(ParsingRecipe(), **changes)
