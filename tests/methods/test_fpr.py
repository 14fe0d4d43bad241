import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.harness import MethodContract, info
from tfreid.errors import UsageError
from tfreid.methods import fpr
from tfreid.methods.fpr.model import DISTANCES, FPR
from tfreid.methods.fpr.recipe import FprRecipe, build, demo, stages
from tfreid.nn import BACKBONES
from tfreid.nn.resnet import ResNet14
from tfreid.training.trainable import freeze_all_but
from tfreid.training.update import make_optimizers, make_update


def small(**changes):
    return dataclasses.replace(demo(), backbone_width=0.1, image_size_px=(80, 64), **changes)


def noise(count, height, width):
    return tf.random.stateless_uniform((count, height, width, 3), (0, 1), 0, 255)


class TestFpr(MethodContract):
    method = fpr.METHOD

    # Adam's changes have the size of the rate, 1e-3, also where a gradient is near rounding.
    @pytest.fixture
    def recipe(self):
        return small()

    def batch(self, images, stage):
        rows = np.arange(images.shape[1])[:, None] // 16 % 2  # Stripes of person and background.
        mask = np.broadcast_to(rows, images.shape[:3])
        return super().batch(images, stage) | {
            "label": tf.constant([0, 0, 1, 1]),
            "mask": tf.constant(mask, tf.int32),
        }


# ---- Architecture.


def test_paper_shapes_and_parameter_counts():
    """Symbolically, so that it costs nothing."""
    model = build(FprRecipe(), info(persons=751))
    outputs = model(keras.KerasTensor((4, 384, 128, 3)))
    shapes = {name: output.shape for name, output in outputs.items()}
    assert shapes == {
        "embedding": (4, 2048),
        "positions": (4, 110, 2048),
        "foreground": (4, 110),
        "foreground_logits": (4, 110),
    }
    assert model.backbone(keras.KerasTensor((4, 384, 128, 3))).shape == (4, 24, 8, 2048)
    assert model.backbone.count_params() == 23_587_712  # ResNet-50 without its top.
    assert model.count_params() == 23_587_712 + 2048 + 1
    with_classifier = build(
        dataclasses.replace(FprRecipe(), identity_weight=1.0), info(persons=751)
    )
    with_classifier.build((None, 384, 128, 3))
    assert with_classifier.count_params() == model.count_params() + 2049 * 751


@pytest.mark.slow
@pytest.mark.usefixtures("without_graphs")
def test_a_step_at_paper_size():
    recipe = dataclasses.replace(
        FprRecipe(), weights="none", persons_per_batch=2, images_per_person=2
    )
    values, variables = updated(recipe, noise(4, 384, 128))
    assert all(np.isfinite(value) for value in values.values())
    assert 0.2 < values["triplet"] < 0.5
    assert (
        sum(variable.shape.num_elements() for variable in variables) == 23_587_712 - 53_120 + 2049
    )


def batch_of(recipe, images):
    labels = tf.repeat(tf.range(recipe.persons_per_batch), recipe.images_per_person)
    return {"image": images, "label": labels, "mask": tf.cast(images[..., 0] > 120, tf.int32)}


def updated(recipe, images):
    """Losses of one update of the stage runner, and the variables that it changed."""
    (stage,) = stages(recipe)
    model = build(recipe, info())
    model.build((None, *recipe.image_size_px, 3))
    step = tf.Variable(0, dtype=tf.int64)
    variables = freeze_all_but(model, stage)
    before = [variable.numpy() for variable in variables[0]]
    optimizers = make_optimizers(stage, variables, step, 0)
    strategy = tf.distribute.get_strategy()
    update = make_update(strategy, model, stage, variables, optimizers, step, seed=0)
    values = update(batch_of(recipe, images))
    changed = [
        variable
        for variable, old in zip(variables[0], before, strict=True)
        if (variable.numpy() != old).any()
    ]
    return {name: float(value) for name, value in values.items()}, changed


def computed(recipe, images):
    """Losses of each image, and their gradients, without an update."""
    (stage,) = stages(recipe)
    model = build(recipe, info())
    batch = batch_of(recipe, images)
    with tf.GradientTape() as tape:
        losses = stage.losses(stage.forward(model, batch, True), batch)
    return losses, tape.gradient(losses, [variable.value for variable in model.trainable_variables])


@pytest.mark.parametrize("distance", DISTANCES)
def test_each_distance_gives_and_trains_what_it_needs(distance):
    recipe = small(distance=distance, identity_weight=0.0, persons_per_batch=2, images_per_person=2)
    model = build(recipe, info())
    described = model.embed(noise(2, 80, 64))
    assert ("foreground_generator" in model.parts) == (distance == "foreground")
    assert stages(recipe)[0].inputs.needs_masks == (distance == "foreground")
    if distance == "pooled":
        assert described.shape == (2, model.backbone.filters)
    else:
        assert set(described) == {"embedding", "positions", "foreground"}
        np.testing.assert_allclose(np.sum(described["foreground"], axis=1), 1, rtol=1e-5)
        norms = np.linalg.norm(described["positions"], axis=2)
        np.testing.assert_allclose(norms, 1, rtol=1e-5)
    if distance == "uniform":
        np.testing.assert_allclose(described["foreground"], 1 / 5, rtol=1e-6)
    values, gradients = computed(recipe, noise(4, 80, 64))
    assert set(values) == ({"triplet", "foreground"} if distance == "foreground" else {"triplet"})
    assert all(gradient is not None for gradient in gradients)


def test_equation_10_and_the_identity_loss_are_what_an_update_minimises():
    recipe = small(identity_weight=0.5, persons_per_batch=2, images_per_person=2)
    values, changed = updated(recipe, noise(4, 80, 64))
    expected = values["triplet"] + 0.02 * values["foreground"] + 0.5 * values["identity"]
    np.testing.assert_allclose(values["total"], expected, rtol=1e-6)
    model = build(recipe, info())
    model.build((None, 80, 64, 3))
    assert len(changed) == len(model.trainable_variables)


@pytest.mark.slow
def test_triplets_are_mined_among_the_images_of_all_devices(two_replicas):
    """On each device there is one person alone; losses and gradients are those of one device."""
    rng = np.random.default_rng(0)
    batch = {"features": rng.normal(size=(4, 5, 8)), "label": np.array([0, 0, 1, 1])}

    def result(strategy):
        with strategy.scope():
            kernel = tf.Variable(np.eye(8))

        def replica(batch):
            with tf.GradientTape() as tape:
                positions = tf.math.l2_normalize(batch["features"] @ kernel, axis=2)
                weights = tf.nn.softmax(positions[..., 0])
                outputs = {"positions": positions, "foreground": weights}
                losses = fpr.losses.triplet_loss(outputs, batch["label"], 0.3, 0.01)
            return tf.reduce_sum(losses), tape.gradient(losses, kernel)

        batches = tf.data.Dataset.from_tensor_slices(batch).batch(4)
        shares = next(iter(strategy.experimental_distribute_dataset(batches)))
        results = tf.function(lambda: strategy.run(replica, args=(shares,)))()
        return [strategy.reduce("SUM", values, axis=None).numpy() for values in results]

    one, two = result(tf.distribute.get_strategy()), result(two_replicas)
    assert one[0] > 0
    for value_one, value_two in zip(one, two, strict=True):
        np.testing.assert_allclose(value_two, value_one, atol=1e-12)


def test_the_triplet_loss_reaches_the_foreground_weights():
    recipe = small()
    model = build(recipe, info())
    images, labels = noise(4, 80, 64), tf.constant([0, 0, 1, 1])
    with tf.GradientTape() as tape:
        outputs = model(images, training=True)
        loss = fpr.losses.triplet_loss(outputs, labels, recipe.margin, recipe.beta)
    gradient = tape.gradient(loss, model.generator.convolution.kernel.value)
    assert float(tf.norm(gradient)) > 0


# ---- Sizes.


def test_images_of_any_size_are_described_by_one_model():
    model = build(small(), info())
    for size_px, positions in (((96, 64), 8), ((48, 64), 2), ((128, 96), 20), ((70, 33), 2)):
        described = model.embed(noise(2, *size_px))
        assert described["positions"].shape[1] == described["foreground"].shape[1] == positions
        assert model.patches(size_px).shape == (positions, 4)
    with pytest.raises(UsageError, match="at least 17x17 px"):
        model.embed(noise(2, 16, 64))


def test_half_a_body_has_the_positions_of_the_paper_s_kernels():
    model = build(FprRecipe(), info())
    assert len(model.patches((384, 128))) == 110
    assert len(model.patches((192, 128))) == 24 + 15 + 8 + 3
    np.testing.assert_array_equal(model.patches((192, 128))[-1], [64, 0, 192, 128])


def test_the_baseline_needs_no_pyramid():
    model = build(small(distance="pooled"), info())
    assert model.embed(noise(1, 16, 16)).shape == (1, model.backbone.filters)


def test_the_map_of_probabilities_is_that_of_the_smallest_patches():
    model = build(small(), info())
    images = noise(2, 96, 64)
    logits = model(images)["foreground_logits"][:, :6]
    actual = model.explain(images)["foreground"]
    np.testing.assert_allclose(actual, tf.reshape(tf.sigmoid(logits), (2, 3, 2)), rtol=1e-5)


# ---- Backbones.


@pytest.mark.parametrize("name", ["resnet14", "inception_v3", "efficientnet_v2_b0"])
def test_a_position_learns_from_the_pixels_of_its_patch(name):
    """Logits that are right about every patch of pixels have no loss."""
    recipe = dataclasses.replace(demo(), backbone=name, backbone_width=0.03, identity_weight=0.0)
    mask = (np.random.default_rng(0).uniform(size=(2, 24, 12)) < 0.35).astype("int32")
    mask = mask.repeat(8, axis=1).repeat(8, axis=2)
    patches = build(recipe, info()).patches((192, 96))
    assert patches.min() >= 0
    assert (patches.max(0) <= (176, 80, 192, 96)).all()
    parts = [mask[:, top:bottom, left:right].mean((1, 2)) for top, left, bottom, right in patches]
    labels = np.stack(parts, axis=1) > recipe.tau
    assert 0 < labels.mean() < 1
    outputs = {
        "embedding": tf.ones((2, 3)),
        "foreground_logits": tf.constant(np.where(labels, 50, -50), tf.float32),
    }
    batch = {"label": tf.constant([0, 0]), "mask": tf.constant(mask)}
    losses = stages(recipe)[0].losses(outputs, batch)
    np.testing.assert_allclose(losses["foreground"], 0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "efficientnet_v2_b0"])
def test_every_backbone_is_trained(name):
    recipe = small(backbone=name, persons_per_batch=2, images_per_person=2)
    values, gradients = computed(recipe, noise(4, 80, 64))
    assert all(np.isfinite(array).all() for array in (*values.values(), *gradients))
    model = build(recipe, info())
    described = model.embed(noise(1, 96, 70))
    assert described["positions"].shape[1] == len(model.patches((96, 70)))


def test_a_class_may_be_given():
    class Own(ResNet14):
        architecture = "own"

    assert Own not in BACKBONES.values()
    assert type(FPR(Own, width=0.1).backbone) is Own


# ---- Training.


@pytest.mark.parametrize("case", ["all background", "identical"])
def test_degenerate_batches_train_without_nan(case):
    images = noise(4, 80, 64) * 0.1  # `computed` takes bright pixels as person.
    if case == "identical":
        images = tf.repeat(10 * images[:1], 4, axis=0)
    recipe = small(persons_per_batch=2, images_per_person=2)
    values, gradients = computed(recipe, images)
    assert all(np.isfinite(array).all() for array in (*values.values(), *gradients))
    if case == "identical":
        np.testing.assert_allclose(values["triplet"], recipe.margin, atol=1e-3)


def test_the_rate_falls_at_half_and_at_83_percent():
    (stage,) = stages(FprRecipe())
    assert (stage.steps, stage.batch_size) == (200 * 202, 64)
    (group,) = stage.groups
    for epoch, rate in ((0, 3.5e-4), (99, 3.5e-4), (100, 3.5e-5), (165, 3.5e-5), (166, 3.5e-6)):
        step = tf.constant(202 * epoch, tf.int64)
        np.testing.assert_allclose(group.schedule(step), rate, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "vgg16"}, "backbone='vgg16' is not known"),
        ({"distance": "cosine"}, "distance='cosine' is not known"),
        ({"output_stride": 8}, "output_stride=8 is not known"),
        ({"images_per_person": 1}, "a triplet needs at least 2"),
        ({"beta": 0.0}, "beta=0.0 must be above 0"),
        ({"tau": 35.0}, r"it must lie in \[0, 1\]"),
        ({"kernels": ()}, "give at least one"),
        ({"image_size_px": (16, 64)}, "has a feature map of 1x4"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(FprRecipe(), **changes)
