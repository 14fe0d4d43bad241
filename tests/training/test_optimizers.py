"""The optimizers against Caffe's and PyTorch's updates, in NumPy float64, under a changing rate."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfreid.methods.base import Group
from tfreid.training.optimizers import CoupledAdam, CoupledSGD, make_optimizer

RATES = (0.1, 0.1, 0.01, 0.5, 0.02)
MOMENTUM, WEIGHT_DECAY = 0.9, 0.05


def by_sgd(weight, gradients, nesterov):
    velocity = np.zeros_like(weight)
    for rate, gradient in zip(RATES, gradients, strict=True):
        gradient = gradient + WEIGHT_DECAY * weight
        velocity = MOMENTUM * velocity + gradient
        weight = weight - rate * (gradient + MOMENTUM * velocity if nesterov else velocity)
    return weight


def by_adam(weight, gradients):
    first, second = np.zeros_like(weight), np.zeros_like(weight)
    for t, (rate, gradient) in enumerate(zip(RATES, gradients, strict=True), start=1):
        gradient = gradient + WEIGHT_DECAY * weight
        first = MOMENTUM * first + (1 - MOMENTUM) * gradient
        second = 0.999 * second + 0.001 * gradient**2
        denominator = np.sqrt(second / (1 - 0.999**t)) + 1e-8
        weight = weight - rate * first / (1 - MOMENTUM**t) / denominator
    return weight


def descended(group, start, gradients, graph):
    """The weight after the optimizer that a group asks for was given the gradients."""
    step = tf.Variable(0, dtype=tf.int64)
    variable = keras.Variable(start, dtype="float32")
    optimizer = make_optimizer(group, lambda: tf.gather(RATES, step), "optimizer")
    optimizer.build([variable])

    def update(gradient):
        optimizer.apply([gradient], [variable])
        step.assign_add(1)

    update = tf.function(update) if graph else update
    for gradient in gradients.astype(np.float32):
        update(tf.constant(gradient))
    return variable.numpy()


def draw(scale=1.0):
    random = np.random.default_rng(0)
    return random.normal(size=(3, 2)), scale * random.normal(size=(len(RATES), 3, 2))


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("graph", [False, True])
def test_sgd_is_that_of_caffe_and_pytorch(nesterov, graph):
    start, gradients = draw()
    group = Group("", list, None, MOMENTUM, nesterov, WEIGHT_DECAY)
    actual = descended(group, start, gradients, graph)
    np.testing.assert_allclose(actual, by_sgd(start, gradients, nesterov), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_adam_is_that_of_pytorch(graph, scale):
    """Small gradients of a weight of 0 show where the small constant is added."""
    start, gradients = draw(scale)
    start *= scale
    group = Group("", list, None, MOMENTUM, weight_decay=WEIGHT_DECAY, optimizer="adam")
    actual = descended(group, start, gradients, graph)
    np.testing.assert_allclose(actual, by_adam(start, gradients), rtol=1e-5, atol=1e-6)


def test_plain_descent_of_a_subset():
    first, second = keras.Variable([1.0]), keras.Variable([1.0])
    optimizer = CoupledSGD(0.5, momentum=0.0)
    optimizer.build([first, second])
    optimizer.apply([tf.constant([0.5])], [second])
    assert (first.numpy()[0], second.numpy()[0]) == (1.0, 0.75)


@pytest.mark.parametrize(("kind", "more"), [(CoupledSGD, {"nesterov": True}), (CoupledAdam, {})])
def test_config_round_trip(kind, more):
    optimizer = kind(0.25, momentum=0.8, weight_decay=0.1, name="optimizer", **more)
    again = kind.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
