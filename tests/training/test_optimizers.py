"""The optimizers against PyTorch's, Caffe's and Chainer's updates, in NumPy float64."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfreid.methods.base import Group
from tfreid.training.optimizers import CoupledAdam, CoupledSGD, make_optimizer

RATES = (0.1, 0.1, 0.01, 0.5, 0.02)
MOMENTUM, WEIGHT_DECAY = 0.9, 0.05


def by_pytorch(weight, gradients, nesterov):
    """`torch.optim.SGD`: its buffer sums gradients."""
    buffer = np.zeros_like(weight)
    for rate, gradient in zip(RATES, gradients, strict=True):
        gradient = gradient + WEIGHT_DECAY * weight
        buffer = MOMENTUM * buffer + gradient
        weight = weight - rate * (gradient + MOMENTUM * buffer if nesterov else buffer)
    return weight


def by_caffe(weight, gradients, nesterov):
    """`SGDSolver` and `NesterovSolver`: the history sums steps."""
    history = np.zeros_like(weight)
    for rate, gradient in zip(RATES, gradients, strict=True):
        former = history
        history = MOMENTUM * history + rate * (gradient + WEIGHT_DECAY * weight)
        ahead = (1 + MOMENTUM) * history - MOMENTUM * former
        weight = weight - (ahead if nesterov else history)
    return weight


def by_chainer(weight, gradients, nesterov):
    """`MomentumSGD` and `NesterovAG`, whose v has the other sign."""
    v = np.zeros_like(weight)
    for rate, gradient in zip(RATES, gradients, strict=True):
        gradient = gradient + WEIGHT_DECAY * weight
        former, v = v, MOMENTUM * v - rate * gradient
        if nesterov:
            weight = weight + MOMENTUM**2 * former - (1 + MOMENTUM) * rate * gradient
        else:
            weight = weight + v
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
@pytest.mark.parametrize(
    ("form", "expected"), [("pytorch", by_pytorch), ("caffe", by_caffe), ("caffe", by_chainer)]
)
def test_sgd_is_that_of_its_framework_when_the_rate_changes(form, expected, nesterov, graph):
    start, gradients = draw()
    group = Group("", list, None, MOMENTUM, nesterov, WEIGHT_DECAY, sgd_form=form)
    actual = descended(group, start, gradients, graph)
    np.testing.assert_allclose(actual, expected(start, gradients, nesterov), rtol=1e-5, atol=1e-6)


def test_the_forms_of_sgd_differ_after_the_rate_fell():
    start, gradients = draw()
    one, other = by_pytorch(start, gradients, False), by_caffe(start, gradients, False)
    assert np.abs(one - other).max() > 0.5


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_normalisation_and_biases_are_decayed_if_told(optimizer):
    for decay_all, decayed in ((True, set("abcd")), (False, set("d"))):
        group = Group("", list, None, 0.0, weight_decay=1.0, optimizer=optimizer)
        group = replace(group, decay_all=decay_all)
        made = make_optimizer(group, lambda: 0.5, "optimizer")
        names = dict(zip("abcd", ("bias", "gamma", "beta", "kernel"), strict=True))
        variables = {key: keras.Variable([2.0], name=name) for key, name in names.items()}
        made.build([*variables.values()])
        made.apply([tf.zeros(1)] * 4, [*variables.values()])
        assert {key for key, v in variables.items() if v.numpy()[0] != 2.0} == decayed


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


@pytest.mark.parametrize(
    ("kind", "more"),
    [(CoupledSGD, {"nesterov": True, "form": "caffe"}), (CoupledAdam, {"decay_all": False})],
)
def test_config_round_trip(kind, more):
    optimizer = kind(0.25, momentum=0.8, weight_decay=0.1, name="optimizer", **more)
    again = kind.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
