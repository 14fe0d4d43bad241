import keras
import numpy as np
import pytest

from tests.counts import convolution, inception
from tfreid.nn import ConvUnit, FeatureUnit, InceptionModule, Normalise, Stem, activation_map


def test_conv_unit_normalises_after_or_before_relu():
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    last, first = ConvUnit(5, 3), ConvUnit(5, 3, normalise_last=False)
    outputs = [np.asarray(unit(x, training=True)) for unit in (last, first)]
    np.testing.assert_allclose(outputs[0].mean((0, 1, 2)), 0, atol=1e-5)
    assert outputs[0].min() < 0
    assert outputs[1].min() == 0
    assert last.count_params() == convolution(3, 3, 5, bias=True)
    assert first.count_params() == convolution(3, 3, 5, bias=False)


@pytest.mark.parametrize("normalise_last", [True, False])
def test_inception_module_has_the_published_shape_and_size(normalise_last):
    width, inputs = 64, 32
    module = InceptionModule(width, normalise_last)
    output = module(np.zeros((1, 48, 20, inputs), "float32"))
    assert output.shape == (1, 24, 10, 6 * width)
    assert module.count_params() == inception(inputs, width, normalise_last)


def test_inception_max_pooling_branch_passes_channels_through():
    module = InceptionModule(4)
    x = np.random.default_rng(1).normal(size=(1, 6, 6, 3)).astype("float32")
    passed = np.asarray(module(x))[..., 8:]
    block_a = np.concatenate([branch(x, training=False) for branch in module.block_a], axis=-1)
    padded = np.pad(block_a, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
    expected = [[padded[0, r : r + 3, c : c + 3].max((0, 1)) for c in (0, 2, 4)] for r in (0, 2, 4)]
    np.testing.assert_allclose(passed[0], expected, rtol=1e-6)


def test_stem_gives_48_by_48_by_64():
    stem = Stem()
    assert stem(np.zeros((1, 96, 96, 3), "float32")).shape == (1, 48, 48, 64)
    assert stem.count_params() == (convolution(5, 3, 64, True) + 2 * convolution(5, 64, 64, True))


def test_normalise_subtracts_the_mean_pixel():
    images = np.full((1, 2, 2, 3), [10.0, 20.0, 30.0], "float32")
    layer = Normalise((10, 4, 94))
    np.testing.assert_allclose(np.asarray(layer(images))[0, 0, 0], [0, 0.125, -0.5])
    assert not layer.trainable_weights


def test_activation_map_is_the_scaled_channel_norm():
    features = np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    norm = np.sqrt((features**2).sum(-1))
    low, high = norm.min((1, 2), keepdims=True), norm.max((1, 2), keepdims=True)
    actual = activation_map(features.astype("float32"))
    np.testing.assert_allclose(actual, (norm - low) / (high - low), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (ConvUnit, (4, 3, 2, False)),
        (FeatureUnit, (6, False)),
        (InceptionModule, (2, False)),
        (Stem, (0.5,)),
        (Normalise, ((1.0, 2.0, 3.0),)),
    ],
)
def test_layers_are_rebuilt_by_their_config(kind, arguments):
    layer = kind(*arguments)
    copy = kind.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    x = keras.ops.ones((1, 8) if kind is FeatureUnit else (1, 8, 8, 3))
    layer(x), copy(x)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(x), copy(x))
