"""FPR's equations in NumPy float64, written from the paper."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.methods.fpr.foreground import foreground_weights, patch_labels
from tfreid.methods.fpr.losses import foreground_loss, triplet_loss
from tfreid.methods.fpr.pyramid import fitting_kernels, patches, pool_pyramid
from tfreid.methods.fpr.reconstruction import reconstruction_distances
from tfreid.nn import BACKBONES

BETA = 0.01
RNG = np.random.default_rng(0)


def unit(*shape):
    """Features after ReLU and max-pooling are not negative."""
    values = np.maximum(RNG.normal(size=shape), 0) + 0.1
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def shares(*shape):
    values = RNG.uniform(size=shape)
    return values / values.sum(-1, keepdims=True)


def distance(probe, weights, gallery):
    """Equations 3 and 5 for one pair: positions are columns there, rows here."""
    X, Y = probe.T, gallery.T
    W = np.linalg.inv(Y.T @ Y + BETA * np.eye(Y.shape[1])) @ Y.T @ X
    return np.linalg.norm(X - Y @ W, axis=0) @ weights


def distances(probes, weights, gallery):
    return np.array(
        [[distance(x, h, y) for y in gallery] for x, h in zip(probes, weights, strict=True)]
    )


# ---- Reconstruction.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("N", "M"), [(11, 11), (7, 50), (50, 7)])
def test_equations_1_to_5_for_images_of_different_sizes(N, M, dtype):
    probes, weights, gallery = unit(4, N, 24), shares(4, N), unit(3, M, 24)
    arrays = (tf.constant(array, dtype) for array in (probes, weights, gallery))
    actual = tf.function(reconstruction_distances)(*arrays, BETA)
    expected = distances(probes, weights, gallery)
    np.testing.assert_allclose(actual, expected, atol=1e-4 if dtype == "float32" else 1e-10)


def test_equation_1_has_no_better_coefficients():
    """The residual is that of the minimum, not of some other reconstruction."""
    probe, gallery = unit(1, 1, 24), unit(1, 5, 24)
    x, Y = probe[0, 0], gallery[0].T
    w = np.linalg.inv(Y.T @ Y + BETA * np.eye(5)) @ Y.T @ x
    objective = lambda w: ((x - Y @ w) ** 2).sum() + BETA * (w**2).sum()  # noqa: E731
    assert all(objective(w) < objective(w + 0.01 * RNG.normal(size=5)) for _ in range(20))
    error = reconstruction_distances(*map(tf.constant, (probe, np.ones((1, 1)), gallery)), BETA)
    np.testing.assert_allclose(error[0, 0], np.linalg.norm(x - Y @ w), rtol=1e-8)


def test_gradients_equal_finite_differences():
    probes, weights, gallery = unit(2, 4, 6), shares(2, 4), unit(2, 5, 6)
    scale = RNG.normal(size=(2, 2))

    def value(*arrays):
        return tf.reduce_sum(scale * reconstruction_distances(*arrays, BETA))

    arrays = [tf.constant(array) for array in (probes, weights, gallery)]
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        gradients = tape.gradient(value(*arrays), arrays)
    step = 1e-6
    for number, gradient in enumerate(gradients):
        for index in np.ndindex(*gradient.shape):
            moved = [array.numpy() for array in arrays]
            moved[number][index] += step
            above = value(*moved)
            moved[number][index] -= 2 * step
            expected = (above - value(*moved)) / (2 * step)
            np.testing.assert_allclose(gradient[index], expected, rtol=1e-5, atol=1e-8)


def test_no_tensor_holds_all_pairs_of_positions():
    """Of 64 images of the paper's size these fill 0.2 GB, their gradients gigabytes."""

    @tf.function
    def gradient(positions, weights):
        distances = reconstruction_distances(positions, weights, positions, BETA)
        return tf.gradients(distances, positions)

    inputs = tf.TensorSpec((4, 5, 8)), tf.TensorSpec((4, 5))
    operations = gradient.get_concrete_function(*inputs).graph.get_operations()
    sizes = [out.shape.num_elements() or 0 for operation in operations for out in operation.outputs]
    assert 4 * 5 * 8 <= max(sizes) < (4 * 5) ** 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ["identical", "constant", "zero"])
def test_degenerate_images_give_no_nan(case, dtype):
    """Two equal images; images whose positions are all equal; positions that never respond."""
    positions = np.repeat(unit(1, 6, 8), 4, axis=0)
    if case == "constant":
        positions[:] = positions[:1, :1]
    if case == "zero":
        positions[:] = 0
    positions = tf.constant(positions, dtype)
    labels = tf.constant([0, 0, 1, 1])
    with tf.GradientTape() as tape:
        tape.watch(positions)
        weights = tf.ones_like(positions[..., 0]) / 6
        outputs = {"positions": positions, "foreground": weights}
        losses = triplet_loss(outputs, labels, 0.3, BETA)
    np.testing.assert_allclose(losses, np.full(4, 0.3), atol=1e-3)
    assert np.isfinite(tape.gradient(losses, positions)).all()


def test_equation_6_over_reconstruction_distances_equals_a_loop():
    positions, weights = unit(6, 5, 8), shares(6, 5)
    labels = np.array([0, 0, 0, 1, 1, 1])
    pairs = distances(positions, weights, positions)
    expected = []
    for anchor in range(6):
        same = labels == labels[anchor]
        negative = pairs[anchor, ~same].min()
        same[anchor] = False
        expected.append(max(0, 0.3 + pairs[anchor, same].max() - negative))
    outputs = {"positions": tf.constant(positions), "foreground": tf.constant(weights)}
    actual = triplet_loss(outputs, tf.constant(labels), 0.3, BETA)
    np.testing.assert_allclose(actual, expected, rtol=1e-8)


def test_the_baseline_compares_descriptors_of_length_1():
    descriptors, labels = RNG.normal(size=(4, 7)), np.array([0, 0, 1, 1])
    scaled = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
    pairs = np.linalg.norm(scaled[:, None] - scaled, axis=2)
    expected = [
        max(0, 0.3 + pairs[0, 1] - pairs[0, 2:].min()),
        max(0, 0.3 + pairs[1, 0] - pairs[1, 2:].min()),
        max(0, 0.3 + pairs[2, 3] - pairs[2, :2].min()),
        max(0, 0.3 + pairs[3, 2] - pairs[3, :2].min()),
    ]
    actual = triplet_loss({"embedding": tf.constant(descriptors)}, tf.constant(labels), 0.3, BETA)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


# ---- Pyramid.


@pytest.mark.parametrize(
    ("size", "levels"),
    [
        ((24, 8), {2: 48, 4: 33, 6: 20, 8: 9}),  # 384x128, the paper's
        ((12, 8), {2: 24, 4: 15, 6: 8, 8: 3}),  # 192x128, half a body
        ((11, 5), {2: 10, 4: 4}),
    ],
)
def test_positions_are_maxima_over_their_patches(size, levels):
    maps = RNG.normal(size=(2, *size, 3))
    kernels = tuple(levels)
    expected = [
        maps[:, top : top + kernel, left : left + kernel].max((1, 2))
        for kernel in kernels
        for top in range(0, size[0] - kernel + 1, 2)
        for left in range(0, size[1] - kernel + 1, 2)
    ]
    pooled = pool_pyramid(tf.constant(maps, tf.float32), kernels, 2)
    assert pooled.shape == (2, sum(levels.values()), 3)
    np.testing.assert_allclose(pooled, np.stack(expected, axis=1), rtol=1e-6)
    for position, (top, left, bottom, right) in enumerate(patches(size, kernels, 2)):
        patch = maps[:, top:bottom, left:right].max((1, 2))
        np.testing.assert_allclose(pooled[:, position], patch, rtol=1e-6)


def test_kernels_larger_than_the_map_are_left_out():
    resnet, inception = BACKBONES["resnet50"], BACKBONES["inception_v3"]
    assert fitting_kernels((2, 4, 6, 8), (384, 128), resnet, 16) == (2, 4, 6, 8)
    assert fitting_kernels((2, 4, 6, 8), (384, 128), inception, 16) == (2, 4, 6)
    assert fitting_kernels((2, 4, 6, 8), (128, 64), resnet, 16) == (2, 4)
    assert fitting_kernels((2, 4), (17, 17), resnet, 16) == (2,)
    with pytest.raises(UsageError, match=r"16x64 px has a feature map of 1x4 .* at least 17x17 px"):
        fitting_kernels((2, 4, 6, 8), (16, 64), resnet, 16)
    with pytest.raises(UsageError, match=r"58x64 px has a feature map of 1x2 .* at least 59x59 px"):
        fitting_kernels((2, 4, 6, 8), (58, 64), inception, 16)


# ---- Foreground.


@pytest.mark.parametrize("size_px", [(64, 48), (70, 50)])
def test_equations_7_and_8_average_the_mask_over_patches(size_px):
    mask = (RNG.uniform(size=(3, *size_px)) < np.linspace(0, 1, size_px[1])).astype(int)
    small = tf.image.resize(tf.cast(mask[..., None], tf.float32), (4, 3), "area")[..., 0].numpy()
    if size_px == (64, 48):
        np.testing.assert_allclose(small, mask.reshape(3, 4, 16, 3, 16).mean((2, 4)), atol=1e-6)
    expected = [
        small[:, top : top + kernel, left : left + kernel].mean((1, 2)) > 0.35
        for kernel in (2, 3)
        for top, left in itertools.product(range(0, 5 - kernel, 1), range(0, 4 - kernel, 1))
    ]
    labels = patch_labels(tf.constant(mask), (4, 3), (2, 3), 1, 0.35)
    np.testing.assert_array_equal(labels, np.stack(expected, axis=1))
    assert 0 < labels.numpy().mean() < 1


def test_a_share_of_exactly_tau_is_background():
    mask = tf.constant([[[1, 0], [0, 1]]])
    assert patch_labels(mask, (2, 2), (2,), 2, 0.5).numpy() == 0
    assert patch_labels(mask, (2, 2), (2,), 2, 0.49).numpy() == 1


def test_a_share_that_is_the_threshold_is_not_above_it():
    """Whatever the mean of a patch is rounded to."""
    kernels = (2, 3, 5, 6, 7)
    for height, width in ((131, 77), (384, 128), (100, 50)):
        whole = tf.ones((1, height, width), tf.int32)
        assert not patch_labels(whole, (9, 8), kernels, 1, 1.0).numpy().any()
        assert patch_labels(whole, (9, 8), kernels, 1, 1 - 1e-5).numpy().all()
        assert not patch_labels(0 * whole, (9, 8), kernels, 1, 0.0).numpy().any()


def test_equation_9_is_the_negative_log_likelihood():
    logits, labels = RNG.normal(size=(3, 7)), (RNG.uniform(size=(3, 7)) > 0.5).astype(float)
    f = 1 / (1 + np.exp(-logits))
    expected = -(labels * np.log(f) + (1 - labels) * np.log(1 - f)).sum(1)
    actual = foreground_loss(tf.constant(logits), tf.constant(labels))
    np.testing.assert_allclose(actual, expected, rtol=1e-8)


def test_weights_are_the_probabilities_over_their_sum():
    logits = RNG.normal(size=(3, 7))
    probabilities = 1 / (1 + np.exp(-logits))
    expected = probabilities / probabilities.sum(1, keepdims=True)
    np.testing.assert_allclose(foreground_weights(logits), expected, rtol=1e-6)


def test_an_image_without_foreground_has_weights():
    logits = tf.Variable([[-200.0, -200.0, -203.0]])
    with tf.GradientTape() as tape:
        weights = foreground_weights(logits)
        loss = foreground_loss(logits, tf.zeros((1, 3))) + tf.reduce_sum(weights**2)
    ratios = np.exp([0, 0, -3])
    np.testing.assert_allclose(weights[0], ratios / ratios.sum(), rtol=1e-5)
    assert np.isfinite(tape.gradient(loss, logits)).all()
