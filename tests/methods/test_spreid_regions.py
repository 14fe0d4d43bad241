"""Region maps and pooling by them, against plain NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfreid.methods.spreid.regions import (
    REGIONS,
    describe,
    l1_normalise,
    pool_regions,
    region_maps,
)

RNG = np.random.default_rng(0)
PROBABILITIES = RNG.dirichlet(np.ones(20), (2, 6, 4))
FEATURES = RNG.normal(size=(2, 3, 2, 7))


def bilinear(features, size):
    """Resizes one image's map with half-pixel centres; positions outside repeat the edge."""
    height, width = features.shape[:2]
    resized = np.zeros((*size, features.shape[2]))
    for row, column in np.ndindex(*size):
        y = np.clip((row + 0.5) * height / size[0] - 0.5, 0, height - 1)
        x = np.clip((column + 0.5) * width / size[1] - 0.5, 0, width - 1)
        top, left = int(y), int(x)
        bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
        upper = features[top, left] * (1 - x + left) + features[top, right] * (x - left)
        lower = features[bottom, left] * (1 - x + left) + features[bottom, right] * (x - left)
        resized[row, column] = upper * (1 - y + top) + lower * (y - top)
    return resized


def pooled_by_definition(features, maps):
    """A weighted sum over positions, region by region."""
    pooled = np.zeros((len(features), maps.shape[-1], features.shape[-1]))
    for image, region in np.ndindex(pooled.shape[:2]):
        weights = maps[image, ..., region] / maps[image, ..., region].sum()
        for row, column in np.ndindex(weights.shape):
            resized = bilinear(features[image], weights.shape)
            pooled[image, region] += weights[row, column] * resized[row, column]
    return pooled


def test_regions_cover_the_person_and_the_parts_do_not_overlap():
    parts = [label for name, labels in REGIONS.items() if name != "foreground" for label in labels]
    assert sorted(parts) == sorted(REGIONS["foreground"]) == list(range(1, 20))


def test_region_maps_sum_their_classes():
    maps = region_maps(tf.constant(PROBABILITIES, tf.float32)).numpy()
    np.testing.assert_allclose(maps[..., 0], 1 - PROBABILITIES[..., 0], rtol=1e-5)
    for region, labels in enumerate(REGIONS.values()):
        expected = sum(PROBABILITIES[..., label] for label in labels)
        np.testing.assert_allclose(maps[..., region], expected, rtol=1e-5)


def test_each_map_has_the_l1_norm_1_over_positions():
    maps = RNG.uniform(size=(2, 6, 4, 5))
    expected = maps / np.abs(maps).sum((1, 2), keepdims=True)
    np.testing.assert_allclose(l1_normalise(tf.constant(maps, tf.float32)), expected, rtol=1e-5)


def test_a_region_that_is_nowhere_pools_nothing():
    maps = tf.Variable(tf.zeros((1, 2, 2, 5)))
    with tf.GradientTape() as tape:
        pooled = pool_regions(tf.ones((1, 2, 2, 3)), maps)
    np.testing.assert_array_equal(pooled, np.zeros((1, 5, 3)))
    assert np.isfinite(tape.gradient(pooled, maps)).all()


@pytest.mark.parametrize("graph", [False, True])
def test_pooling_is_a_weighted_sum_of_the_resized_map(graph):
    maps = RNG.uniform(size=(2, 6, 4, 5))
    pool = tf.function(pool_regions) if graph else pool_regions
    actual = pool(tf.constant(FEATURES, tf.float32), tf.constant(maps, tf.float32))
    np.testing.assert_allclose(actual, pooled_by_definition(FEATURES, maps), rtol=1e-4, atol=1e-6)


def test_uniform_maps_of_the_same_size_give_the_average():
    pooled = pool_regions(tf.constant(FEATURES, tf.float32), tf.ones((2, 3, 2, 5)))
    for region in range(5):
        np.testing.assert_allclose(pooled[:, region], FEATURES.mean((1, 2)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("foreground", [True, False])
def test_descriptor_joins_image_foreground_and_strongest_part(foreground):
    whole, regions = RNG.normal(size=(3, 7)), RNG.normal(size=(3, 5, 7))
    strongest = np.zeros((3, 7))
    for image, channel in np.ndindex(3, 7):
        strongest[image, channel] = max(regions[image, part, channel] for part in range(1, 5))
    expected = [whole, regions[:, 0], strongest] if foreground else [whole, strongest]
    np.testing.assert_array_equal(describe(whole, regions, foreground), np.hstack(expected))
    np.testing.assert_array_equal(describe(whole), whole)
