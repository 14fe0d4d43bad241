"""The batch-hard miner against tensorflow-addons, and against loops in float64."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfreid.methods.triplet import batch_hard_triplet, euclidean_distances, self_mask

REFERENCE = json.loads((Path(__file__).parent / "triplet_reference.json").read_text())


def name_of(case):
    return "-".join(case[key] for key in ("embedding", "labels", "distance_metric"))


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("case", REFERENCE["cases"], ids=name_of)
def test_loss_and_gradient_are_those_of_tensorflow_addons(case, graph):
    embeddings = np.array(REFERENCE["embeddings"], np.float32)
    if case["embedding"] == "l2":
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    labels = tf.constant(REFERENCE["labels"][case["labels"]])

    def loss_and_gradient(embeddings):
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            distances = euclidean_distances(embeddings, embeddings)
            if case["distance_metric"] == "squared-L2":
                distances = distances**2
            is_self = self_mask(embeddings, embeddings)
            losses = batch_hard_triplet(distances, labels, labels, is_self, case["margin"])
            loss = tf.reduce_mean(losses)
        return loss, tape.gradient(loss, embeddings)

    run = tf.function(loss_and_gradient) if graph else loss_and_gradient
    loss, gradient = run(tf.constant(embeddings))
    np.testing.assert_allclose(loss, case["value"], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(gradient), case["grad_norm"], rtol=1e-4)
    np.testing.assert_allclose(gradient[0], case["grad_row0"], rtol=1e-4, atol=1e-5)


def test_queries_need_not_be_the_keys():
    """As on one of several devices: the keys are those of all."""
    rng = np.random.default_rng(0)
    distances, key_labels = rng.uniform(size=(3, 9)), np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    own = np.array([3, 4, 8])
    expected = []
    for row, index in enumerate(own):
        same = key_labels == key_labels[index]
        negatives = distances[row, ~same]
        same[index] = False
        expected.append(max(0, 0.3 + distances[row, same].max() - negatives.min()))
    is_self = own[:, None] == np.arange(9)
    labels = tf.constant(key_labels[own])
    actual = batch_hard_triplet(tf.constant(distances), labels, key_labels, is_self, 0.3)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert actual.dtype == tf.float64


def test_one_person_alone_cannot_be_told_apart():
    distances, labels = tf.random.stateless_uniform((4, 4), (0, 1)), tf.zeros(4, tf.int32)
    losses = batch_hard_triplet(distances, labels, labels, tf.eye(4) > 0, 0.3)
    np.testing.assert_array_equal(losses, np.zeros(4))


def test_identical_vectors_have_finite_gradients():
    vectors = tf.Variable(tf.ones((4, 3)) / 3**0.5)
    labels = tf.constant([0, 0, 1, 1])
    with tf.GradientTape() as tape:
        distances = euclidean_distances(vectors, vectors)
        losses = batch_hard_triplet(distances, labels, labels, tf.eye(4) > 0, 0.3)
    np.testing.assert_allclose(losses, np.full(4, 0.3), rtol=1e-6)
    assert np.isfinite(tape.gradient(losses, vectors)).all()
