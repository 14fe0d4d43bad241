"""Functions of images as networks, and what is said of those that are none."""

import numpy as np
import pytest
import tensorflow as tf

from tests.networks.describing import descriptors
from tfreid.errors import DataError, UsageError
from tfreid.networks import Presentation, callable_network, open_network

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 4, 3)).astype("float32")
SIZE_PX = (8, 4)


class TensorOfAnother:
    """As PyTorch's: it must be detached and brought to the processor before it is an array."""

    def __init__(self, values):
        self.values, self.ready = values, False

    def detach(self):
        return self

    def cpu(self):
        self.ready = True
        return self

    def __array__(self, *args, **kwargs):
        assert self.ready
        return self.values


def described(network, images=IMAGES):
    return descriptors(network, images)


@pytest.mark.parametrize(
    "function",
    [
        lambda images: images.mean((1, 2)),
        lambda images: images.mean((1, 2)).astype("float64").tolist(),
        lambda images: tf.reduce_mean(images, (1, 2)),
        lambda images: TensorOfAnother(images.mean((1, 2))),
        lambda images: np.concatenate([image.mean((0, 1))[None] for image in images]),
        tf.function(lambda images: tf.reduce_mean(images, (1, 2))),
        lambda images: images.mean((1, 2))[:, None, :, None],
    ],
)
def test_whatever_gives_a_row_an_image_is_a_network(function):
    network = callable_network(function, SIZE_PX, name="mine")
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2)), rtol=1e-5)
    assert network.output_shapes == {"embedding": (3,)}
    assert network.to_json()["format"] == "callable"
    assert network.name == "mine"


def test_a_keras_model_is_called_in_the_graph():
    import keras

    calls = []

    class Model(keras.Model):
        def call(self, images):
            calls.append(tf.executing_eagerly())
            return tf.reduce_mean(images, (1, 2))

    network = callable_network(Model(), SIZE_PX)
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2)), rtol=1e-5)
    assert calls[-1] is False


def test_a_function_gets_images_as_the_presentation_says():
    def function(images):
        assert images.shape[1:] == (3, 8, 4)
        assert images.dtype == np.float32
        return images.mean((2, 3))

    presentation = Presentation(layout="nchw", colours="bgr", scale=1.0)
    network = callable_network(function, SIZE_PX, presentation=presentation)
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2))[:, ::-1] / 255, rtol=1e-5)


def test_a_function_may_change_the_images_that_it_gets():
    def function(images):
        images *= 2
        return images.mean((1, 2))

    network, images = callable_network(function, SIZE_PX), tf.constant(IMAGES)
    for _ in range(2):  # In a graph a function would get the memory of the tensor itself.
        np.testing.assert_allclose(described(network, images), 2 * IMAGES.mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(images, IMAGES)


def test_a_function_of_one_image_at_a_time_is_called_for_each():
    def function(images):
        if len(images) > 1:
            raise MemoryError
        return images.mean((1, 2))

    network = open_network(function, image_size_px=SIZE_PX)
    assert network.fixed_batch == 1
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (lambda x: x.mean((1, 2))[:, 0], UsageError, r"\[2\] for 2 images: expected \[2, d\]"),
        (lambda x: x.mean((1, 2))[:1], UsageError, r"\[1, 3\] for 2 images: expected \[2, d\]"),
        (lambda x: x, UsageError, r"gives \[2, 8, 4, 3\].*a feature map and not one descriptor"),
        (lambda x: x.mean((1, 2)) * np.nan, DataError, "not finite"),
        (lambda x: [["a", "b"]] * len(x), UsageError, "values and not numbers"),
        (lambda x: None, UsageError, "values and not numbers"),
        (lambda x: [[1.0], [1.0, 2.0]], UsageError, "no array of numbers"),
        (lambda x: x.mean((1, 2)) > 0, UsageError, "bool values and not numbers"),
        (lambda x: x.mean((1, 2)) * 1j, UsageError, "complex"),
        (lambda x: 1 / 0, DataError, "cannot run: division by zero"),
    ],
)
def test_what_is_no_descriptor_is_named(function, error, text):
    with pytest.raises(error, match=f"^mine .*{text}"):
        callable_network(function, SIZE_PX, name="mine")


def test_a_failure_on_later_images_is_named():
    def function(images):
        values = images.mean((1, 2))
        return values if len(images) < 3 else values[:2]

    network = callable_network(function, SIZE_PX, name="mine")
    with pytest.raises(DataError, match=r"mine gave an array of \[2, 3\] for 5 images"):
        described(network)


def test_what_cannot_be_called_or_has_no_size_is_named():
    with pytest.raises(UsageError, match="int cannot be called"):
        callable_network(3, SIZE_PX)
    with pytest.raises(UsageError, match=r"size of its images \(image_size_px\)"):
        open_network(lambda images: images)
