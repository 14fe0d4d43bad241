import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.counts import convolution
from tests.methods.harness import MethodContract, info
from tfreid.errors import UsageError
from tfreid.methods import fanet
from tfreid.methods.fanet.attention import TargetEnhancement, gate, soft_mask
from tfreid.methods.fanet.losses import (
    OBJECTIVE,
    l2_normalise_spatially,
    stripe_loss,
    target_attention_loss,
)
from tfreid.methods.fanet.pyramid import HorizontalPyramid, StripeClassifiers, pool_stripes
from tfreid.methods.fanet.recipe import FanetRecipe, build, demo, stages
from tfreid.nn.resnet import STAGES, ResNet14
from tfreid.serving.export import write_saved_model
from tfreid.training.trainable import freeze_all_but
from tfreid.training.transfer import refuse_untrained
from tfreid.training.update import make_optimizers, make_update

LADDER = {
    "baseline": {
        "target_enhancement": False,
        "background_branch": False,
        "gate_background": False,
        "target_attention": "none",
        "pyramid_stripes": (),
    }
}
LADDER["tem"] = LADDER["baseline"] | {"target_enhancement": True}
LADDER["bg"] = LADDER["tem"] | {"background_branch": True}
LADDER["ia"] = LADDER["bg"] | {"gate_background": True}
LADDER["tal"] = LADDER["ia"] | {"target_attention": "paper"}
LADDER["hpp"] = LADDER["tal"] | {"pyramid_stripes": (1, 2, 4, 8)}

RNG = np.random.default_rng(0)
F, B = np.maximum(RNG.normal(size=(2, 3, 6, 4, 5)), 0)
MASK = RNG.uniform(size=(3, 6, 4, 1))


def tensors(*arrays):
    return [tf.constant(array, tf.float32) for array in arrays]


def small(**changes):
    return dataclasses.replace(demo(), backbone_width=0.1, **changes)


class TestFanet(MethodContract):
    method = fanet.METHOD

    def batch(self, images, stage):
        return super().batch(images, stage) | {"camera": tf.constant([0, 1, 0, 1])}


# ---- Equations, against float64.


def test_equation_1_is_the_sigmoid_of_the_mean_map():
    raw = RNG.normal(size=(2, 4, 3, 7))
    expected = 1 / (1 + np.exp(-raw.sum(-1) / 7))
    np.testing.assert_allclose(soft_mask(*tensors(raw))[..., 0], expected, rtol=1e-5)


def test_the_number_of_maps_sets_the_pace_of_the_mask_alone():
    """A step moves the mean of k maps by 1 / k of what it moves a single map by."""
    features, signs = (tf.random.stateless_normal((2, 4, 3, n), (0, n)) for n in (5, 1))

    def step_of(maps):
        layer = TargetEnhancement(maps, initial="zeros")
        layer.raw_maps.build((None, None, None, 5))
        with tf.GradientTape() as tape:
            mask = soft_mask(layer.raw_maps(features))
            loss = tf.reduce_sum(mask * signs)
        np.testing.assert_array_equal(mask, 0.5)
        return tf.reduce_mean(tape.gradient(loss, layer.raw_maps.kernel.value), axis=-1)

    np.testing.assert_allclose(16 * step_of(16), step_of(1), rtol=1e-4, atol=1e-5)


def test_equations_2_and_3_gate_every_channel():
    foreground, background, mask = tensors(F, B, MASK)
    for c in range(5):
        np.testing.assert_allclose(
            gate(foreground, mask)[..., c], F[..., c] * MASK[..., 0], rtol=1e-5
        )
        np.testing.assert_allclose(
            gate(background, 1 - mask)[..., c], B[..., c] * (1 - MASK[..., 0]), rtol=1e-5
        )


def normalised(features):
    """Equation 5, channel by channel."""
    result = np.zeros_like(features)
    for image, channel in np.ndindex(features.shape[0], features.shape[-1]):
        one = features[image, ..., channel]
        result[image, ..., channel] = one / np.sqrt((one**2).sum())
    return result


def test_equation_5_normalises_each_channel_over_positions():
    actual = l2_normalise_spatially(*tensors(F))
    np.testing.assert_allclose(actual, normalised(F), atol=1e-6)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("paper", normalised(F) * (1 - MASK) + normalised(B) * MASK),
        ("v1", F + B),
        ("v2", F * (1 - MASK) + B * MASK),
    ],
)
def test_equations_4_and_7_average_over_positions_and_channels(variant, expected):
    actual = target_attention_loss(*tensors(F, B, MASK), variant)
    np.testing.assert_allclose(actual, expected.mean((1, 2, 3)), rtol=1e-5)


def test_a_channel_that_never_responds_gives_no_nan():
    features = tf.Variable(tf.zeros((1, 2, 2, 3)))
    with tf.GradientTape() as tape:
        loss = target_attention_loss(features, features, tf.fill((1, 2, 2, 1), 0.5))
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, features)).all()


def test_stripe_loss_is_the_mean_over_stripes():
    logits, labels = RNG.normal(size=(4, 3, 6)), np.array([5, 0, 2, 2])
    expected = [
        np.mean([np.log(np.exp(stripe).sum()) - stripe[label] for stripe in image])
        for image, label in zip(logits, labels, strict=True)
    ]
    actual = stripe_loss(*tensors(logits), tf.constant(labels))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_equation_6_is_what_an_update_minimises():
    recipe = small(persons_per_batch=2, images_per_person=2)
    (stage,) = stages(recipe)
    model = build(recipe, info())
    model.build((None, *recipe.image_size_px, 3))
    step = tf.Variable(0, dtype=tf.int64)
    variables = freeze_all_but(model, stage)
    optimizers = make_optimizers(stage, variables, step, 0)
    strategy = tf.distribute.get_strategy()
    update = make_update(strategy, model, stage, variables, optimizers, step, seed=0)
    values = update(
        {
            "image": tf.random.stateless_uniform((4, *recipe.image_size_px, 3), (0, 1), 0, 255),
            "label": tf.constant([0, 0, 1, 1]),
            "camera": tf.constant([0, 1, 0, 1]),
        }
    )
    of_persons, of_cameras, attention = (float(values[name]) for name in OBJECTIVE)
    expected = 0.5 * (of_persons + of_cameras) + attention
    assert min(of_persons, of_cameras, attention) > 0.01
    np.testing.assert_allclose(values["total"], expected, rtol=1e-6)


# ---- Architecture.


@pytest.mark.parametrize("pooling", ["average_and_max", "average", "max"])
def test_stripes_are_pooled_from_top_to_bottom(pooling):
    pooled = pool_stripes(*tensors(F), 3, pooling)
    for stripe in range(3):
        rows = F[:, 2 * stripe : 2 * stripe + 2]
        average, strongest = rows.mean((1, 2)), rows.max((1, 2))
        expected = {"average": average, "max": strongest, "average_and_max": average + strongest}
        np.testing.assert_allclose(pooled[:, stripe], expected[pooling], rtol=1e-5)


def test_each_stripe_has_an_embedding_and_a_classifier_of_its_own():
    pyramid, classifiers = HorizontalPyramid((1, 2), embedding_size=4), StripeClassifiers(6)
    features = tensors(F)[0]
    embedded = pyramid(features)
    logits = classifiers(embedded)
    pooled = np.concatenate([pool_stripes(features, scale) for scale in (1, 2)], axis=1)
    kernel, weights = np.asarray(pyramid.kernel), np.asarray(classifiers.kernel)
    for stripe in range(3):
        expected = pooled[:, stripe] @ kernel[stripe] / np.sqrt(1 + 1e-3)  # Untrained BN.
        np.testing.assert_allclose(embedded[:, stripe], expected, atol=1e-5)
        np.testing.assert_allclose(logits[:, stripe], expected @ weights[stripe], atol=1e-6)


@pytest.fixture(scope="module")
def paper_model():
    model = build(FanetRecipe(), info(persons=751))
    model.build((None, 384, 128, 3))
    return model


@pytest.mark.slow
def test_paper_shapes(paper_model):
    images = tf.zeros((1, 384, 128, 3))
    assert paper_model.foreground.shared(images).shape == (1, 48, 16, 512)
    outputs = paper_model(images)
    assert outputs["foreground"].shape == outputs["background"].shape == (1, 24, 8, 2048)
    assert outputs["mask"].shape == (1, 24, 8, 1)
    assert outputs["logits"].shape == (1, 15, 751)
    assert outputs["camera_logits"].shape == (1, 15, 2)
    assert paper_model.embed(images).shape == (1, 3840)


@pytest.mark.slow
def test_paper_parameter_counts(paper_model):
    stock = keras.applications.ResNet50(weights=None, include_top=False)
    upper = sum(
        layer.count_params() for layer in stock.layers if layer.name[:5] in ("conv4", "conv5")
    )
    enhancement = convolution(1, 2048, 256, False) + convolution(3, 256, 128, False)
    enhancement += 128 * 256 + 256
    pyramid = 15 * (2048 * 256 + 4 * 256)
    described = stock.count_params() + enhancement + pyramid
    assert paper_model.foreground.count_params() == described
    classifiers = 15 * (256 + 1) * (751 + 2)
    assert paper_model.count_params() == described + classifiers + upper + pyramid


@pytest.mark.slow
@pytest.mark.usefixtures("without_graphs")
def test_a_step_at_paper_size(paper_model):
    """With 2 x 1 images of 384x128: the paper's 16 x 8 would take gigabytes more."""
    (stage,) = stages(FanetRecipe(weights="none", persons_per_batch=2, images_per_person=1))
    step = tf.Variable(0, dtype=tf.int64)
    variables = freeze_all_but(paper_model, stage)
    optimizers = make_optimizers(stage, variables, step, 0)
    strategy = tf.distribute.get_strategy()
    update = make_update(strategy, paper_model, stage, variables, optimizers, step, seed=0)
    noise = tf.random.stateless_uniform((2, 384, 128, 3), (0, 1), 0, 255)
    before = [[variable.numpy() for variable in group] for group in variables]
    total = float(update({"image": noise, "label": tf.range(2), "camera": tf.range(2)})["total"])
    # Untrained classifiers know nothing.
    start = 0.5 * (np.log(751) + np.log(2))
    assert start - 0.1 < total < start + 0.2
    for group, olds in zip(variables, before, strict=True):
        for variable, old in zip(group, olds, strict=True):
            new = variable.numpy()
            assert np.isfinite(new).all(), variable.path
            assert (new != old).any(), variable.path


@pytest.mark.parametrize("rung", LADDER)
def test_every_rung_of_table_1_trains_all_that_it_has(rung):
    recipe = small(**LADDER[rung])
    model = build(recipe, info())
    images = RNG.uniform(0, 255, (4, *recipe.image_size_px, 3)).astype("float32")
    outputs = model(images)
    hpp, gated = rung == "hpp", rung not in ("baseline", "tem")
    assert outputs["logits"].shape == (4, 15 if hpp else 1, 5)
    assert ("mask" in outputs, "camera_logits" in outputs) == (rung != "baseline", gated)
    assert model.embed(images).shape == (4, 15 * 32 if hpp else model.foreground.branch.filters)
    (stage,), trainable = stages(recipe), len(model.trainable_variables)
    trained = freeze_all_but(model, stage)
    assert sum(map(len, trained)) == trainable
    refuse_untrained(model, [stage], loaded=())
    batch = {"image": images, "label": tf.range(4), "camera": tf.range(4) % 2}
    with tf.GradientTape() as tape:
        losses = stage.losses(stage.forward(model, batch, True), batch)
        total = tf.add_n([stage.loss_weights.get(n, 1) * loss for n, loss in losses.items()])
    gradients = tape.gradient(total, [v.value for group in trained for v in group])
    assert all(gradient is not None for gradient in gradients)


def test_without_interaction_the_mask_gets_no_gradient_from_cameras():
    model = build(small(**LADDER["bg"]), info())
    images = tf.random.stateless_uniform((4, 128, 64, 3), (0, 1), 0, 255)
    with tf.GradientTape() as tape:
        loss = stripe_loss(model(images, training=True)["camera_logits"], tf.range(4) % 2)
    kernel = model.foreground.enhancement.raw_maps.kernel.value
    assert tape.gradient(loss, kernel) is None


# ---- What else may explain the ladder; not of the paper.


@pytest.fixture(scope="module")
def tal():
    """A model without pyramid, images and their labels."""
    model = build(small(**LADDER["tal"]), info())
    images = tf.random.stateless_uniform((4, 128, 64, 3), (0, 1), 0, 255)
    model(images)
    return model, {"image": images, "label": tf.range(4), "camera": tf.range(4) % 2}


def attention_gradients(tal, **changes):
    """Of the weighted target attention loss: with respect to Z^f's last layer, and to F's first."""
    model, batch = tal
    (stage,) = stages(small(**LADDER["tal"], **changes))
    kernels = model.foreground.enhancement.raw_maps.kernel, model.foreground.branch.weights[0]
    with tf.GradientTape() as tape:
        losses = stage.losses(stage.forward(model, batch, True), batch)
        loss = stage.loss_weights["target_attention"] * losses["target_attention"]
    return tape.gradient(loss, [kernel.value for kernel in kernels])


def test_the_weight_of_the_target_attention_loss_scales_its_gradients(tal):
    heavier = attention_gradients(tal, target_attention_weight=30.0)
    for one, thirty in zip(attention_gradients(tal), heavier, strict=True):
        np.testing.assert_allclose(thirty, 30 * one, atol=1e-3 * np.abs(thirty).max())
        assert np.abs(one).max() > 0


def test_a_detached_mask_gets_no_gradient_from_target_attention(tal):
    of_mask, of_branch = attention_gradients(tal, detach_mask=True)
    assert of_mask is None
    assert np.abs(of_branch).max() > 0


def test_normalised_logits_do_not_depend_on_the_level_of_the_mask():
    features = tensors(np.maximum(RNG.normal(1, 1, (8, 6, 4, 5)), 0))[0]
    plain, normalised = (HorizontalPyramid((), normalise=on) for on in (False, True))
    np.testing.assert_allclose(plain(features * 0.5), plain(features) * 0.5, rtol=1e-5)
    pooled = np.asarray(plain(features))[:, 0].astype(np.float64)
    expected = (pooled - pooled.mean(0)) / np.sqrt(pooled.var(0) + 1e-3)
    np.testing.assert_allclose(normalised(features, training=True)[:, 0], expected, atol=1e-4)
    loud, quiet = (normalised(level * features, training=True) for level in (20.0, 10.0))
    np.testing.assert_allclose(loud, quiet, atol=2e-3)
    assert normalised(features).shape == (8, 1, 5)


def test_normalisation_is_trained_with_the_new_layers():
    recipe = small(**LADDER["tal"], normalise_pooled=True)
    model = build(recipe, info())
    model.build((None, 128, 64, 3))
    (stage,) = stages(recipe)
    _, new = freeze_all_but(model, stage)
    normalisations = model.foreground.head.weights + model.background_head.weights
    assert len(normalisations) == 8
    assert {id(v) for v in normalisations if v.trainable} <= {id(v) for v in new}


def test_branches_share_no_weight():
    model = build(small(), info())
    model.build((None, 128, 64, 3))
    ours = {id(variable) for variable in model.foreground.variables}
    assert not ours & {id(variable) for variable in model.background.variables}
    assert [stage for part in model.backbones for stage in part.stages] == [
        *STAGES,
        *STAGES[3:],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "efficientnet_v2_b0"])
def test_other_backbones_are_split_at_an_eighth_of_the_resolution(name):
    recipe = small(backbone=name, pyramid_stripes=(1, 2), image_size_px=(155, 75))
    model = build(recipe, info())
    model.build((None, 155, 75, 3))
    images = tf.random.stateless_uniform((4, 155, 75, 3), (0, 1), 0, 255)
    height = model.foreground.shared(images).shape[1]
    assert height == {"inception_v3": 17, "efficientnet_v2_b0": 20}[name]
    batch = {"image": images, "label": tf.range(4), "camera": tf.range(4) % 2}
    (stage,) = stages(recipe)
    with tf.GradientTape() as tape:
        outputs = stage.forward(model, batch, True)
        total = tf.add_n(list(stage.losses(outputs, batch).values()))
    assert outputs["foreground"].shape[1:3] == model.foreground.trunk.map_size((155, 75), 16)
    gradients = tape.gradient(total, [v.value for v in model.trainable_variables])
    assert all(gradient is not None for gradient in gradients)
    assert [stage for part in model.backbones[:2] for stage in part.stages] == [
        *model.foreground.trunk.all_stages
    ]


def test_groups_have_the_two_rates():
    pretrained, new = stages(FanetRecipe())[0].groups
    for epoch, rate in ((0, 0.06), (5, 0.33), (10, 0.6), (39, 0.6), (40, 0.06), (80, 0.006)):
        step = tf.constant(101 * epoch, tf.int64)
        np.testing.assert_allclose(new.schedule(step), rate, rtol=1e-5)
        np.testing.assert_allclose(pretrained.schedule(step), rate / 10, rtol=1e-5)
    assert stages(FanetRecipe())[0].steps == 10_100


# ---- Inference.


def test_inference_leaves_the_background_branch_out(tmp_path):
    recipe = small()
    model = build(recipe, info())
    images = tf.round(tf.random.stateless_uniform((3, 128, 64, 3), (0, 1), 0, 255))
    model(images)
    alone = fanet.METHOD.inference(model)
    np.testing.assert_array_equal(alone.embed(images), model.embed(images))
    for name, values in alone.explain(images).items():
        np.testing.assert_array_equal(values, model.explain(images)[name])
    left_out = (model.background, model.background_head, model.camera_classifiers)
    left_out += (model.person_classifiers,)
    parameters = sum(layer.count_params() for layer in left_out)
    assert alone.count_params() == model.count_params() - parameters

    files = [tf.io.encode_png(tf.cast(image, tf.uint8)).numpy() for image in images]
    write_saved_model(alone, recipe.image_size_px, tmp_path / "1", files, flip_averaging=True)
    shapes = tf.train.load_checkpoint(tmp_path / "1/variables/variables")
    stored = [shape for shape in shapes.get_variable_to_shape_map().values() if shape]
    assert sum(map(np.prod, stored)) == alone.count_params()


# ---- Settings that do not fit.


def test_one_camera_is_refused():
    lonely = info()
    lonely.num_cameras = 1
    with pytest.raises(UsageError, match="come from 1 known: FA-Net needs two or more; "):
        build(FanetRecipe(), lonely)
    build(small(**LADDER["tem"]), lonely)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_attention": "v3"}, "target_attention='v3' is not known"),
        ({"stripe_pooling": "sum"}, "stripe_pooling='sum' is not known"),
        ({"output_stride": 8}, "output_stride=8 is not known"),
        ({"target_enhancement": False}, "gate_background=True needs"),
        ({"gate_background": False, "background_branch": False}, "compares both branches"),
        ({"pyramid_stripes": (1, 3)}, "of resnet14 has 8 rows"),
        ({"backbone": "inception_v3"}, "of inception_v3 has 6 rows"),
        ({"backbone": "vgg16"}, "backbone='vgg16' is not known"),
        ({"attention_maps": 0}, "at least 1"),
        ({"target_attention": "none", "detach_mask": True}, "which target_attention='none' leaves"),
        ({"target_attention": "none", "target_attention_weight": 30.0}, "='none' leaves out"),
        ({"target_attention_weight": 0.0}, "target_attention_weight=0.0: above 0"),
        ({"target_attention_weight": float("nan")}, "target_attention_weight=nan: above 0"),
        ({"normalise_pooled": True}, "is for pyramid_stripes="),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(demo(), **changes)


def test_layers_keep_their_settings():
    for layer in (
        TargetEnhancement(7, 0.5, "zeros"),
        HorizontalPyramid((1, 2), 9, "max", normalise=True),
        StripeClassifiers(4),
        ResNet14(16, 0.5, STAGES[3:]),
    ):
        config = layer.get_config()
        assert type(layer).from_config(config).get_config() == config
