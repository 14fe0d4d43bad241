"""CoupledSGD against the update of Caffe and PyTorch, in NumPy float64, under a changing rate."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfreid.training.optimizers import CoupledSGD

RATES = (0.1, 0.1, 0.01, 0.5, 0.02)
MOMENTUM, WEIGHT_DECAY = 0.9, 0.05


def expected_weight(weight, gradients, nesterov):
    velocity = np.zeros_like(weight)
    for rate, gradient in zip(RATES, gradients, strict=True):
        gradient = gradient + WEIGHT_DECAY * weight
        velocity = MOMENTUM * velocity + gradient
        weight = weight - rate * (gradient + MOMENTUM * velocity if nesterov else velocity)
    return weight


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("graph", [False, True])
def test_update_is_that_of_caffe_and_pytorch(nesterov, graph):
    random = np.random.default_rng(0)
    start = random.normal(size=(3, 2))
    gradients = random.normal(size=(len(RATES), 3, 2))
    step = tf.Variable(0, dtype=tf.int64)
    variable = keras.Variable(start, dtype="float32")
    optimizer = CoupledSGD(lambda: tf.gather(RATES, step), MOMENTUM, nesterov, WEIGHT_DECAY)
    optimizer.build([variable])

    def update(gradient):
        optimizer.apply([gradient], [variable])
        step.assign_add(1)

    update = tf.function(update) if graph else update
    for gradient in gradients.astype(np.float32):
        update(tf.constant(gradient))

    wanted = expected_weight(start, gradients, nesterov)
    np.testing.assert_allclose(variable.numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_plain_descent_of_a_subset():
    first, second = keras.Variable([1.0]), keras.Variable([1.0])
    optimizer = CoupledSGD(0.5, momentum=0.0)
    optimizer.build([first, second])
    optimizer.apply([tf.constant([0.5])], [second])
    assert (first.numpy()[0], second.numpy()[0]) == (1.0, 0.75)


def test_config_round_trip():
    optimizer = CoupledSGD(0.25, momentum=0.8, nesterov=True, weight_decay=0.1, name="sgd")
    again = CoupledSGD.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
