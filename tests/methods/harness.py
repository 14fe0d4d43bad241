"""Checks that every method passes, in the manner of a shared base class."""

import contextlib
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config, op_callbacks

from tfreid.nn.network import Network
from tfreid.serving.signatures import make_signatures
from tfreid.training.determinism import WITHOUT_DETERMINISTIC_KERNEL


def info(persons=5, mean_pixel=(100.0, 110.0, 120.0)):
    """What `build` reads of a converted data set."""
    return SimpleNamespace(num_persons=persons, num_cameras=2, mean_pixel=mean_pixel)


def trained(model, stage, batch, rate=0.01):
    """Applies one plain gradient step of a stage; returns the loss before it."""
    variables = [
        v
        for group in stage.groups
        for layer in group.layers(model)
        for v in layer.trainable_variables
    ]
    with tf.GradientTape() as tape:
        losses = stage.losses(stage.forward(model, batch, True), batch)
        total = tf.add_n([tf.reduce_mean(loss) for loss in losses.values()])
    gradients = tape.gradient(total, [v.value for v in variables])
    assert all(gradient is not None for gradient in gradients)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(rate * gradient)
    return float(total)


@contextlib.contextmanager
def operations_in_training() -> Iterator[set[str]]:
    """Context in which operations are as in training; gives those that ran in it."""
    seen = set()

    def callback(op_type, *_, **__):
        seen.add(op_type.decode() if isinstance(op_type, bytes) else op_type)

    tf.config.experimental.enable_op_determinism()
    op_callbacks.add_op_callback(callback)
    try:
        yield seen
    finally:
        op_callbacks.remove_op_callback(callback)
        config.disable_op_determinism()


def losses_on(strategy, stage, outputs, batch):
    """Returns a stage's losses, summed, and their gradients by the network's outputs."""

    def replica(values):
        outputs, batch = values
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            losses = stage.losses(outputs, batch)
            total = tf.add_n([tf.reduce_sum(loss) for loss in losses.values()])
        gradients = tape.gradient(total, outputs)
        sums = {name: tf.reduce_sum(loss) for name, loss in losses.items()}
        return sums, {name: g for name, g in gradients.items() if g is not None}

    shares = tf.data.Dataset.from_tensor_slices((outputs, batch)).batch(len(batch["image"]))
    shares = next(iter(strategy.experimental_distribute_dataset(shares)))
    losses, gradients = tf.function(lambda: strategy.run(replica, args=(shares,)))()
    sums = {name: strategy.reduce("SUM", loss, axis=None) for name, loss in losses.items()}
    return sums | {name: strategy.gather(share, axis=0) for name, share in gradients.items()}


def check_exported_maps(model, size_px):
    """Compares the maps that an export would show of a built model with its own; their sizes."""
    image = np.random.default_rng(0).integers(0, 256, (*size_px, 3), "uint8")
    explain = make_signatures([Network("", model, size_px)])["explain"]
    graph = tf.function(explain.function, input_signature=[explain.spec])
    found = graph(tf.io.encode_png(image)[None])
    expected = model.explain(tf.constant(image[None], tf.float32))
    assert found.keys() == {"embedding", *expected}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-4, err_msg=name)
    return {name: tuple(values.shape[1:]) for name, values in expected.items()}


class MethodContract:
    """Subclass it with `method` set."""

    method = None

    @pytest.fixture
    def recipe(self):
        return self.method.demo()

    @pytest.fixture
    def images(self, recipe):
        shape = (4, *recipe.image_size_px, 3)
        return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")

    @pytest.fixture(scope="class")
    def built(self):
        """Where `model` is kept, which takes seconds; a test may train it."""
        return []

    @pytest.fixture
    def model(self, recipe, images, built):
        if not built:
            keras.utils.set_random_seed(1)
            built.append(self.method.build(recipe, info()))
            built[0](images)
        return built[0]

    def batch(self, images, stage):
        return {
            "image": tf.constant(images),
            "label": tf.constant([0, 1, 2, 3]),
            "mask": tf.zeros(images.shape[:3], tf.int32),
        }

    def test_recipe_defaults_build_every_stage(self):
        stages = self.method.stages(self.method.recipe())
        assert len({stage.name for stage in stages}) == len(stages)
        for stage in stages:
            assert stage.steps > 0
            assert np.isfinite(float(stage.groups[0].schedule(tf.constant(0, tf.int64))))

    def test_parts_hold_all_that_is_learned_once(self, model):
        held = [v for part in model.parts.values() for v in part.trainable_variables]
        assert len(held) == len({id(variable) for variable in held})
        assert {id(v) for v in held} == {id(v) for v in model.trainable_variables}

    def test_eager_and_graph_agree(self, model, images):
        graph = tf.function(lambda x: model(x, training=False))
        for name, eager in model(images, training=False).items():
            rounding = 1e-4 * max(1.0, float(np.abs(eager).max()))
            np.testing.assert_allclose(graph(images)[name], eager, rtol=1e-4, atol=rounding)

    def test_descriptor_depends_on_its_own_image_alone(self, model, images):
        if not hasattr(model, "embed"):
            pytest.skip("no descriptor")
        together, alone = model.embed(images), model.embed(images[1:2])
        if not isinstance(together, Mapping):
            together, alone = {"embedding": together}, {"embedding": alone}
        for name, values in together.items():
            np.testing.assert_allclose(alone[name][0], values[1], rtol=1e-4, atol=1e-5)

    def test_explain_gives_maps_in_unit_range(self, model, images):
        for name, values in model.explain(images).items():
            assert len(values.shape) == 3, name
            assert values.shape[0] == len(images)
            assert 0 <= float(tf.reduce_min(values)) <= float(tf.reduce_max(values)) <= 1

    def test_batches_are_normalised_by_the_statistics_of_all_devices(self, model):
        kind = keras.layers.BatchNormalization
        layers = [layer for layer in model._flatten_layers() if isinstance(layer, kind)]
        assert layers
        assert all(layer.synchronized for layer in layers)

    @pytest.mark.slow
    def test_stages_lower_their_loss(self, recipe, model, images):
        for stage in self.method.stages(recipe):
            if stage.start:
                stage.start(model)
            batch = self.batch(images, stage)
            with operations_in_training() as operations:
                losses = [trained(model, stage, batch)]
            losses += [trained(model, stage, batch) for _ in range(2)]
            assert losses[-1] < losses[0], stage.name
            assert "Conv2DBackpropFilter" in operations
            assert not operations & WITHOUT_DETERMINISTIC_KERNEL, stage.name

    @pytest.mark.slow
    def test_losses_are_the_same_on_two_devices(self, recipe, model, images, two_replicas):
        """What else an update is made of is the same for all methods; `run_toy` updates by it."""
        for stage in self.method.stages(recipe):
            batch = self.batch(images, stage)
            outputs = stage.forward(model, batch, True)
            one, two = (
                losses_on(strategy, stage, outputs, batch)
                for strategy in (tf.distribute.get_strategy(), two_replicas)
            )
            assert max(np.abs(values).max() for values in one.values()) > 1e-4
            for name, values in one.items():
                np.testing.assert_allclose(two[name], values, rtol=1e-5, atol=1e-6, err_msg=name)

    def test_weights_survive_saving(self, recipe, model, images, tmp_path):
        path = tmp_path / "model.weights.h5"
        model.save_weights(path)
        copy = self.method.build(recipe, info(mean_pixel=(0.0, 0.0, 0.0)))
        copy(images)
        copy.load_weights(path)
        for name, values in model(images, training=False).items():
            np.testing.assert_array_equal(copy(images, training=False)[name], values)
