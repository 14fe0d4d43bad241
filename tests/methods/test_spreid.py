import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.harness import MethodContract, check_exported_maps, info
from tests.methods.test_spreid_regions import pooled_by_definition
from tfreid.errors import UsageError
from tfreid.methods.parsing import SemanticParser
from tfreid.methods.spreid.model import SPReID
from tfreid.methods.spreid.recipe import (
    AGGREGATIONS,
    METHOD,
    SpreidRecipe,
    build,
    demo,
    phase_2,
    stages,
)
from tfreid.training.trainable import freeze_all_but
from tfreid.training.transfer import copy_parts, loaded_parts, refuse_untrained
from tfreid.training.update import make_optimizers, make_update

SIZE_PX = (128, 80)


def small(**changes):
    parser = dataclasses.replace(demo().parsing, width=0.05)
    settings = {"image_size_px": SIZE_PX, "backbone_size_px": None, "parsing": parser}
    settings |= {"backbone": "resnet14", "backbone_width": 0.05}
    return dataclasses.replace(demo(), **(settings | changes))


def built(**changes):
    recipe = small(**changes)
    model = build(recipe, info())
    model.build((None, *recipe.image_size_px, 3))
    return model


@pytest.fixture(scope="module")
def model():
    """Tests may change its weights."""
    return built()


def images_of(size_px, count=4):
    return np.random.default_rng(0).uniform(0, 255, (count, *size_px, 3)).astype("float32")


class TestSpreid(MethodContract):
    method = METHOD

    @pytest.fixture
    def recipe(self):
        return small()


# ---- What is pooled, against float64.


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_descriptor_is_that_of_section_3_3(aggregation, shared):
    keras.utils.set_random_seed(0)
    model, images = built(aggregation=aggregation, shared_backbone=shared), images_of(SIZE_PX, 2)
    maps = [np.asarray(m, np.float64) for m in model.activations(images, training=False)]
    assert len(maps) == (1 if shared or aggregation == "global" else 2)
    expected = [maps[0].mean((1, 2))]
    if aggregation != "global":
        probabilities = np.asarray(model.parser.probabilities(images), np.float64)
        groups = [(1, 2, 4, 13), (3, 5, 6, 7, 10, 11, 14, 15), (9, 12, 16, 17), (8, 18, 19)]
        regions = [1 - probabilities[..., 0], *(probabilities[..., g].sum(-1) for g in groups)]
        pooled = pooled_by_definition(maps[-1], np.stack(regions, -1))
        expected += [pooled[:, 0]] if aggregation == "with_foreground" else []
        expected.append(pooled[:, 1:].max(1))
    expected = np.hstack(expected)
    np.testing.assert_allclose(model.embed(images), expected, rtol=1e-3, atol=1e-4)
    assert model.descriptor_size == expected.shape[1]
    logits = expected @ model.classifier.kernel.numpy() + model.classifier.bias.numpy()
    np.testing.assert_allclose(model(images)["logits"], logits, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_both_heads_share_all_weights_or_none(model):
    separate, shared = model, built(shared_backbone=True)
    one, other = ({id(w) for w in backbone.weights} for backbone in separate.backbones)
    assert not one & other
    assert list(shared.parts) == ["shared_backbone", "parser", "classifier"]
    backbone = shared.backbones[0].count_params()
    assert separate.count_params() - shared.count_params() == backbone


@pytest.mark.slow
def test_an_export_shows_the_five_regions_as_the_parser_sees_the_image():
    model = built(image_size_px=(128, 128), backbone_size_px=(96, 32))
    regions = {"foreground", "head", "upper_body", "lower_body", "shoes"}
    sizes = check_exported_maps(model, (128, 128))
    assert sizes == {"activation": (6, 2), **dict.fromkeys(regions, (6, 6))}


def test_explain_shows_the_five_regions(model):
    maps = model.explain(images_of(SIZE_PX))
    names = ("activation", "foreground", "head", "upper_body", "lower_body", "shoes")
    assert tuple(maps) == names
    parts = sum(maps[name] for name in names[2:])
    np.testing.assert_allclose(maps["foreground"], parts, atol=1e-6)
    assert list(built(aggregation="global").explain(images_of(SIZE_PX))) == ["activation"]


@pytest.mark.parametrize("backbone", ["inception_v3", "resnet50"])
def test_backbones_are_given_images_as_their_weights_expect_them(backbone):
    model = built(backbone=backbone, aggregation="global")
    stock = {
        "inception_v3": keras.applications.inception_v3,
        "resnet50": keras.applications.resnet50,
    }
    images = images_of((4, 4))
    expected = stock[backbone].preprocess_input(images.copy())
    np.testing.assert_allclose(model.prepare(images), expected, atol=1e-4)


@pytest.mark.slow
def test_describing_needs_all_but_the_classifier(model):
    images = tf.TensorSpec((None, *SIZE_PX, 3))
    used = tf.function(model.embed).get_concrete_function(images).variables
    used = sum(int(np.prod(variable.shape)) for variable in used)
    assert used == model.count_params() - model.classifier.count_params()


@pytest.mark.slow
def test_backbones_may_see_smaller_images_than_the_parser(model):
    smaller, images = built(backbone_size_px=(96, 64)), images_of(SIZE_PX)
    assert [maps.shape[1:3] for maps in smaller.activations(images)] == [(6, 4)] * 2
    expected = smaller.backbones[0].normalise(tf.image.resize(images, (96, 64)))
    np.testing.assert_allclose(smaller.prepare(images), expected, atol=1e-4)
    assert smaller.regions(images).shape == model.regions(images).shape


# ---- The parser is frozen.


@pytest.mark.parametrize("aggregation", ["with_foreground", "without_foreground"])
def test_no_gradient_reaches_the_parser(aggregation):
    recipe = small(aggregation=aggregation)
    model, stage = build(recipe, info()), stages(recipe)[-1]
    images = images_of(SIZE_PX)
    model(images)
    model.trainable = True
    weights = [weight.value for weight in model.parser.trainable_variables]
    batch = {"image": images, "label": tf.range(4)}
    with tf.GradientTape() as tape:
        loss = stage.losses(stage.forward(model, batch, True), batch)["identity"]
    assert tape.gradient(loss, weights) == [None] * len(weights)


@pytest.mark.slow
@pytest.mark.usefixtures("without_graphs")
def test_an_update_changes_backbones_and_classifier_alone():
    recipe = small(batch_size=4)
    stage = stages(recipe)[-1]
    model = build(recipe, info())
    model.build((None, *SIZE_PX, 3))
    step = tf.Variable(0, dtype=tf.int64)
    variables = freeze_all_but(model, stage)
    optimizers = make_optimizers(stage, variables, step, 0)
    strategy = tf.distribute.get_strategy()
    update = make_update(strategy, model, stage, variables, optimizers, step, seed=0)
    before = {name: part.get_weights() for name, part in model.parts.items()}
    update({"image": tf.constant(images_of(SIZE_PX)), "label": tf.range(4)})
    changed = {
        name: any(
            (old != new).any() for old, new in zip(before[name], part.get_weights(), strict=True)
        )
        for name, part in model.parts.items()
    }
    assert changed == {
        "global_backbone": True,
        "parts_backbone": True,
        "parser": False,
        "classifier": True,
    }


# ---- Settings and stages.


def test_stages_of_each_phase():
    parser, network = stages(SpreidRecipe())
    assert (parser.name, parser.data, parser.steps) == ("parsing", "parsing", 30_000)
    assert (network.steps, network.batch_size, network.clip_norm) == (200_000, 15, 2.0)
    (group,) = network.groups
    assert (group.momentum, group.nesterov, group.weight_decay) == (0.9, True, 5e-4)
    rates = [float(group.schedule(tf.constant(step, tf.int64))) for step in (0, 100_000, 199_999)]
    np.testing.assert_allclose(rates, [0.01, 0.01 * 0.9**5, 0.01 * 0.9**10], rtol=1e-5)
    (fine_tuning,) = stages(phase_2())
    assert (fine_tuning.steps, fine_tuning.inputs.image_size_px) == (50_000, (512, 512))
    rates = {g.name: float(g.schedule(tf.constant(0, tf.int64))) for g in fine_tuning.groups}
    assert rates == pytest.approx({"backbones": 1e-3, "classifier": 1e-2})
    (network,) = stages(small(aggregation="global"))
    assert network.name == "network"


@pytest.mark.parametrize(
    ("given", "size_px", "backbone_size_px", "steps"),
    [
        ({}, (512, 512), (512, 170), 200_000),
        ({"aggregation": "global"}, (492, 164), None, 200_000),
        ({"phase": "2"}, (512, 512), (748, 246), 50_000),
        ({"phase": "2", "aggregation": "global"}, (748, 246), None, 50_000),
    ],
)
def test_phase_and_aggregation_choose_the_papers_settings(given, size_px, backbone_size_px, steps):
    recipe = METHOD.base_recipe("paper", given)
    assert (recipe.image_size_px, recipe.backbone_size_px) == (size_px, backbone_size_px)
    assert (recipe.phase, recipe.schedule.steps) == (int(given.get("phase", 1)), steps)


@pytest.mark.parametrize("scale", ["paper", "demo"])
@pytest.mark.parametrize("phase", ["1", "2"])
def test_the_parser_sees_the_size_that_it_was_trained_with(scale, phase):
    """Section 3.3 and Figure 1: what is scaled is the backbones' input."""
    with_parser, alone = (
        METHOD.base_recipe(scale, {"phase": phase, "aggregation": a}) for a in AGGREGATIONS[1:]
    )
    assert with_parser.image_size_px == with_parser.parsing.image_size_px
    assert stages(with_parser)[-1].inputs.image_size_px == with_parser.parsing.image_size_px
    assert alone.backbone_size_px is None
    if (scale, phase) != ("paper", "1"):  # There the baseline has a size of its own, 492x164.
        assert with_parser.backbone_size_px == alone.image_size_px


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phase": 3}, "phase=3 is not known"),
        ({"backbone": "vgg16"}, "backbone='vgg16' is not known"),
        ({"backbone": "inception_v3", "backbone_size_px": (42, 80)}, "42x80 px is too small"),
        ({"image_size_px": (42, 80)}, "42x80 px is too small for inception_v3"),
        ({"output_stride": 8}, "output_stride=8 is not known"),
        ({"aggregation": "all"}, "aggregation='all' is not known"),
        (
            {"parsing": dataclasses.replace(demo().parsing, vocabulary="regions4")},
            "parsing.vocabulary='regions4': SPReID's regions",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        small(**changes)


# ---- Phase 2 and parsers from another run.


@pytest.mark.slow
def test_phase_2_starts_from_phase_1_with_other_persons_and_larger_images(model):
    first = model
    recipe = small(phase=2, image_size_px=(160, 96), train_parser=False)
    second = build(recipe, info(persons=9))
    second.build((None, *recipe.image_size_px, 3))
    outcomes = copy_parts(first, second, "runs/phase1")
    assert loaded_parts(outcomes) == ["global_backbone", "parts_backbone", "parser"]
    assert outcomes["classifier"].startswith("starts anew")
    refuse_untrained(second, stages(recipe), loaded_parts(outcomes))
    images = images_of((160, 96))
    np.testing.assert_array_equal(first.embed(images), second.embed(images))
    assert second(images)["logits"].shape == (4, 9)


@pytest.mark.slow
def test_a_parsing_run_gives_its_parser(model):
    parser = SemanticParser("lip20", 0.05)
    parser.build((None, *SIZE_PX, 3))
    assert loaded_parts(copy_parts(parser, model, "runs/parsing")) == ["parser"]
    images = images_of(SIZE_PX)
    np.testing.assert_array_equal(model.parser.probabilities(images), parser.probabilities(images))


@pytest.mark.slow
def test_a_parser_of_another_width_is_refused(model):
    parser = SemanticParser("lip20", 0.1)
    parser.build((None, *SIZE_PX, 3))
    with pytest.raises(UsageError, match=r"parser: .* weights differ in shape"):
        copy_parts(parser, model, "runs/parsing")


def test_without_a_parser_to_load_it_must_be_trained(model):
    recipe = small(train_parser=False)
    with pytest.raises(UsageError, match="trains the part 'parser'"):
        refuse_untrained(model, stages(recipe), loaded=())


# ---- The size of the paper.


@pytest.fixture(scope="module")
def paper_model():
    model = build(SpreidRecipe(), info(persons=751))
    model.build((None, 512, 512, 3))
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "size"), [(SpreidRecipe(), (14, 3)), (phase_2(), (22, 6))], ids=["1", "2"]
)
def test_paper_shapes(paper_model, monkeypatch, recipe, size):
    monkeypatch.setattr(paper_model, "backbone_size_px", recipe.backbone_size_px)
    images = np.zeros((1, *recipe.image_size_px, 3), "float32")
    seen = []
    monkeypatch.setattr(paper_model.parser, "scores", watched(paper_model.parser.scores, seen))
    for activations in paper_model.activations(images):
        assert activations.shape == (1, *size, 2048)
    # A position for every 16 pixels, but for those that unpadded convolutions leave out.
    assert paper_model.regions(images).shape == (1, 30, 30, 5)
    assert seen == [(1, 512, 512, 3)]
    outputs = paper_model(images)
    assert outputs["descriptor"].shape == (1, 6144)
    assert outputs["logits"].shape == (1, 751)


def watched(function, seen):
    """`function`, which also notes the shape of what it is given."""

    def call(images, *arguments, **named):
        seen.append(tuple(images.shape))
        return function(images, *arguments, **named)

    return call


@pytest.mark.slow
def test_paper_parameter_counts(paper_model):
    stock = keras.applications.InceptionV3(weights=None, include_top=False).count_params()
    classifier = (6144 + 1) * 751
    parser = paper_model.parser.count_params()
    assert paper_model.count_params() == 2 * stock + parser + classifier
    for foreground, size in ((True, 6144), (False, 4096)):
        shared = SPReID(751, SemanticParser(), foreground=foreground, shared=True)
        assert shared.descriptor_size == size
    assert SPReID(751).descriptor_size == 2048


@pytest.mark.slow
@pytest.mark.usefixtures("without_graphs")
def test_a_step_at_paper_size(paper_model):
    """With one image of 512x512: the paper's 15 would take gigabytes more."""
    stage = stages(SpreidRecipe(weights="none", batch_size=1))[-1]
    step = tf.Variable(0, dtype=tf.int64)
    variables = freeze_all_but(paper_model, stage)
    optimizers = make_optimizers(stage, variables, step, 0)
    strategy = tf.distribute.get_strategy()
    update = make_update(strategy, paper_model, stage, variables, optimizers, step, seed=0)
    noise = tf.random.stateless_uniform((1, 512, 512, 3), (0, 1), 0, 255)
    before = [variable.numpy() for variable in variables[0]]
    loss = float(update({"image": noise, "label": tf.constant([7])})["identity"])
    assert np.log(751) - 1 < loss < np.log(751) + 1
    for variable, old in zip(variables[0], before, strict=True):
        new = variable.numpy()
        assert np.isfinite(new).all(), variable.path
        assert (new != old).any(), variable.path
