import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.counts import convolution, inception
from tests.methods.harness import MethodContract, check_exported_maps, info
from tfreid.errors import UsageError
from tfreid.inputs import RandomBackground
from tfreid.methods import pgp
from tfreid.methods.parsing.recipe import semantic_demo
from tfreid.methods.pgp.recipe import PgpRecipe, build, demo, stages
from tfreid.methods.pgp.regions import guided_pooling, region_masks
from tfreid.training.transfer import copy_parts, loaded_parts, refuse_untrained


class TestPgp(MethodContract):
    method = pgp.METHOD


@pytest.mark.slow
def test_an_export_shows_the_region_of_its_branch():
    recipe = dataclasses.replace(demo(), width=0.05, branches=1)
    model, size = build(recipe, info()), recipe.image_size_px
    model.build((None, *size, 3))
    assert set(check_exported_maps(model, size)) == {"activation", "foreground"}


@pytest.fixture(scope="module")
def paper_model():
    model = build(PgpRecipe(), info(persons=751))
    model.build((1, 96, 96, 3))
    return model


def test_paper_shapes(paper_model):
    images = np.zeros((1, 96, 96, 3), "float32")
    shared = paper_model.shared(images)
    assert paper_model.stem(images).shape == (1, 48, 48, 64)
    assert shared.shape == (1, 24, 24, 384)
    for branch in (paper_model.main, *paper_model.branches):
        x, shapes = shared, []
        for module in branch.inceptions:
            x = module(x)
            shapes.append(x.shape)
        assert shapes == [(1, 12, 12, 768), (1, 6, 6, 1536)]
        assert branch(shared).shape == (1, 256)
    outputs = paper_model(images)
    assert outputs["descriptor"].shape == (1, 256)
    assert outputs["logits"].shape == (1, 751)
    assert paper_model.fusion.linear.kernel.shape == (1024, 256)


def test_paper_parameter_count(paper_model):
    stem = convolution(5, 3, 64, True) + 2 * convolution(5, 64, 64, True)
    branch = inception(384, 128, True) + inception(768, 256, True) + 1536 * 256 + 5 * 256
    classifier = 256 * 751 + 751
    main = 3 + stem + inception(64, 64, True) + branch + classifier
    guided = 3 * branch + 1024 * 256 + 5 * 256 + classifier
    assert paper_model.count_params() - paper_model.parser.count_params() == main + guided


@pytest.fixture(scope="module")
def demo_model():
    """Of the demo's size; tests change its weights."""
    model = build(demo(), info())
    model.build((None, *demo().image_size_px, 3))
    return model


@pytest.mark.parametrize("branches", [0, 1, 2, 3])
def test_ablations_of_table_3_run(branches, demo_model):
    recipe = dataclasses.replace(demo(), branches=branches)
    model = demo_model if recipe == demo() else build(recipe, info())
    images = np.zeros((2, 48, 48, 3), "float32")
    assert model.embed(images).shape == (2, 128)
    assert len(stages(recipe)) == (4 if branches else 1)
    assert len(model.explain(images)) == 1 + branches


def test_the_parser_of_spreid_gates_the_branches():
    parser = dataclasses.replace(semantic_demo(), image_size_px=(80, 80), width=0.05)
    recipe = dataclasses.replace(demo(), image_size_px=(80, 80), width=0.05, parsing=parser)
    model = build(recipe, info())
    images = np.random.default_rng(0).uniform(0, 255, (2, 80, 80, 3)).astype("float32")
    model(images)
    # Random weights see one class everywhere; biases make it hat, then left-arm.
    for chosen, branch in ((1, 0), (14, 1)):
        model.parser.classifier.bias.assign(100 * np.eye(20)[chosen])
        masks = np.stack(model.masks(images))
        np.testing.assert_array_equal(masks.mean((1, 2, 3, 4)), np.eye(3)[branch])
    assert [stage.name for stage in stages(recipe)] == ["parsing", "main", "guided", "joint"]
    groups = stages(recipe)[0].groups
    assert groups[0].layers(model) == [model.parser.backbone]


def test_region_masks_split_the_person():
    regions = np.array([[[0, 1], [2, 3]]])
    head, upper, lower = (np.asarray(m)[0, ..., 0] for m in region_masks(regions, 3))
    np.testing.assert_array_equal(
        [head, upper, lower], [np.eye(4)[i].reshape(2, 2) for i in (1, 2, 3)]
    )
    np.testing.assert_array_equal(region_masks(regions, 2)[0][0, ..., 0], head + upper)
    np.testing.assert_array_equal(region_masks(regions, 1)[0][0, ..., 0], head + upper + lower)


def test_guided_pooling_matches_float64():
    rng = np.random.default_rng(0)
    features, mask = rng.normal(size=(2, 3, 3, 5)), rng.integers(0, 2, (2, 12, 12, 1))
    small = mask.reshape(2, 3, 4, 3, 4, 1).mean((2, 4))
    actual = guided_pooling(tf.constant(features, tf.float32), tf.constant(mask, tf.float32))
    np.testing.assert_allclose(actual, features * small, rtol=1e-6)


def test_outside_the_region_nothing_reaches_a_branch():
    features = tf.random.stateless_normal((1, 3, 3, 2), (1, 2))
    mask = np.zeros((1, 12, 12, 1), "float32")
    mask[:, :4, :4] = 1
    gated = np.array(guided_pooling(features, tf.constant(mask)))
    np.testing.assert_allclose(gated[:, 0, 0], features[:, 0, 0])
    gated[:, 0, 0] = 0
    assert not gated.any()


def test_stage_three_starts_from_the_main_network(demo_model):
    stages(demo())[2].start(demo_model)
    main = demo_model.main.get_weights()
    for branch in demo_model.branches:
        for copied, source in zip(branch.get_weights(), main, strict=True):
            np.testing.assert_array_equal(copied, source)


def test_stages_train_what_section_3_4_says(demo_model):
    model = demo_model

    def trains(stage, layer):
        return any(layer is trained for trained in stage.groups[0].layers(model))

    stage_1, stage_2, stage_3, stage_4 = stages(demo())
    assert trains(stage_1, model.parser.stem)
    assert not any(trains(s, model.parser.stem) for s in (stage_2, stage_3, stage_4))
    assert [trains(s, model.main) for s in (stage_2, stage_3, stage_4)] == [True, False, True]
    assert [trains(s, model.branches[0]) for s in (stage_2, stage_3, stage_4)] == [
        False,
        True,
        True,
    ]


def test_backgrounds_change_in_the_stages_that_are_named():
    recipe = dataclasses.replace(demo(), augmented_stages=("main", "joint"))
    augmented = {
        stage.name: RandomBackground(0.5) in stage.inputs.augmentation for stage in stages(recipe)
    }
    assert augmented == {"parsing": True, "main": True, "guided": False, "joint": True}


def test_modules_have_their_widths_in_main_network_branches_and_parser():
    parser = dataclasses.replace(demo().parsing, width=1.0, module_widths=(1, 2, 4))
    recipe = dataclasses.replace(demo(), width=1.0, module_widths=(2, 3, 5), parsing=parser)
    model = build(recipe, info())
    assert model.inception.width == 2
    for branch in (model.main, *model.branches):
        assert [module.width for module in branch.inceptions] == [3, 5]
    assert [module.width for module in model.parser.inceptions] == [2, 4, 8]


def test_schedules_are_the_papers():
    recipe = PgpRecipe()
    main = [float(recipe.main(tf.constant(s * 20_000, tf.int64))) for s in range(6)]
    np.testing.assert_allclose(main, 0.1 * 0.5 ** np.arange(6), rtol=1e-6)
    joint = [float(recipe.joint(tf.constant(s * 20_000, tf.int64))) for s in range(5)]
    np.testing.assert_allclose(joint, 0.01 * 0.1 ** np.arange(5), rtol=1e-5)
    assert float(recipe.joint(tf.constant(10**9, tf.int64))) == pytest.approx(1e-6)


def test_the_parser_may_come_from_another_run(demo_model):
    recipe = dataclasses.replace(demo(), train_parser=False)
    assert [stage.name for stage in stages(recipe)] == ["main", "guided", "joint"]
    model, parser = demo_model, pgp.recipe.parsing.build(recipe.parsing, info())
    parser.build((None, 48, 48, 3))
    with pytest.raises(UsageError, match="trains the part 'parser': give init_from=RUN"):
        refuse_untrained(model, stages(recipe), loaded=())
    outcomes = copy_parts(parser, model, "runs/parsing")
    assert loaded_parts(outcomes) == ["parser"]
    for copied, source in zip(model.parser.get_weights(), parser.get_weights(), strict=True):
        np.testing.assert_array_equal(copied, source)
    refuse_untrained(model, stages(recipe), loaded_parts(outcomes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"branches": 4}, "branches=4"),
        ({"augmented_stages": ("main", "last")}, "expected some of main, guided, joint"),
        ({"image_size_px": (64, 64)}, r"parsing\.image_size_px=\(96, 96\) differs"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change, message):
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(PgpRecipe(), **change)
