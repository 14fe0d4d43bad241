import keras
import numpy as np
import pytest

from tests.counts import convolution
from tests.nn.networks import images, randomised
from tfreid.errors import UsageError
from tfreid.nn.resnet import STAGES, ResNet14, ResNet26, ResNet50, ResNet101, ResNet152

WIDTH = 0.125


def count(network, width=1.0):
    """Weights of the feature network, from the paper's table 1."""
    inputs, total = round(64 * width), convolution(7, 3, round(64 * width), bias=True)
    for index, blocks in enumerate(network.bottlenecks):
        narrow = round(64 * 2**index * width)
        for block in range(blocks):
            total += convolution(1, inputs, narrow, bias=True)
            total += convolution(3, narrow, narrow, bias=True)
            total += convolution(1, narrow, 4 * narrow, bias=True)
            total += 0 if block else convolution(1, inputs, 4 * narrow, bias=True)
            inputs = 4 * narrow
    return total


@pytest.mark.parametrize(
    ("kind", "published"),
    [(ResNet50, 23_587_712), (ResNet101, 42_658_176), (ResNet152, 58_370_944)],
)
def test_weights_are_as_many_as_keras_applications_have(kind, published):
    assert count(kind) == published


@pytest.mark.slow
def test_it_equals_keras_applications():
    published = keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=(64, 32, 3)
    )
    randomised(published.layers)
    network = ResNet50()
    network.build((None, 64, 32, 3))
    names = [layer.name for layer in published.layers if layer.weights]
    for suffix in ("conv", "bn"):
        ours = [name for name in network.named_layers() if name.endswith(suffix)]
        assert ours == [name for name in names if name.endswith(suffix)]
    for name, layer in network.named_layers().items():
        layer.set_weights(published.get_layer(name).get_weights())
    assert network.count_params() == published.count_params() == count(ResNet50)
    x = ResNet14.normalise(images(64, 32))
    expected = np.asarray(published(x, training=False))
    assert expected.std() > 0.1
    tolerance = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(network(x, training=False), expected, rtol=0, atol=tolerance)


def test_normalise_equals_keras_applications():
    expected = keras.applications.resnet.preprocess_input(images(5, 4))
    np.testing.assert_allclose(ResNet14.normalise(images(5, 4)), expected, atol=1e-4)


@pytest.mark.parametrize(("output_stride", "shape"), [(32, (12, 4, 2048)), (16, (24, 8, 2048))])
def test_the_last_stage_keeps_the_resolution_at_output_stride_16(output_stride, shape):
    network = ResNet14(output_stride)
    assert network.architecture == "resnet14"
    assert network.filters == 2048
    assert network(keras.Input((384, 128, 3))).shape == (None, *shape)


def test_the_same_weights_fit_both_output_strides():
    coarse, fine = ResNet14(32, WIDTH), ResNet14(16, WIDTH)
    x = ResNet14.normalise(images(65, 32))
    outputs = [coarse(x)]
    fine.build((None, None, None, 3))
    fine.set_weights(coarse.get_weights())
    outputs.append(fine(x))
    assert [output.shape for output in outputs] == [(2, 3, 1, 256), (2, 5, 2, 256)]
    # Before the first 3x3 convolution of conv5, the coarse map is every other position.
    inner = [network.blocks[-1].reduce for network in (coarse, fine)]
    y = np.random.default_rng(1).normal(size=(1, 5, 5, 128)).astype("float32")
    np.testing.assert_allclose(inner[0](y), np.asarray(inner[1](y))[:, ::2, ::2], atol=1e-5)


def test_stages_compose_the_network():
    whole = ResNet14(16, WIDTH)
    trunk, branch = (ResNet14(16, WIDTH, stages) for stages in (STAGES[:3], STAGES[3:]))
    x = ResNet14.normalise(images(32, 16))
    expected = whole(x)
    branch(trunk(x))
    pieces = trunk.named_layers() | branch.named_layers()
    assert list(pieces) == list(whole.named_layers())
    for name, layer in whole.named_layers().items():
        pieces[name].set_weights(layer.get_weights())
    np.testing.assert_array_equal(branch(trunk(x)), expected)


@pytest.mark.parametrize("kind", [ResNet14, ResNet26])
def test_small_networks_have_the_expected_size(kind):
    network = kind(width=0.25)
    network.build((None, None, None, 3))
    assert network.count_params() == count(kind, 0.25)
    assert network.filters == 512


def test_statistics_move_in_training_only():
    network = ResNet14(width=WIDTH, stages=STAGES[:2])
    x = ResNet14.normalise(images(16, 16))
    network(x, training=False)
    mean = network.named_layers()["conv2_block1_3_bn"].moving_mean
    assert not np.any(mean)
    network(x, training=True)
    assert np.all(mean)


def test_it_is_rebuilt_by_its_config():
    network = ResNet14(16, WIDTH, STAGES[3:])
    copy = ResNet14.from_config(network.get_config())
    assert copy.get_config() == network.get_config()
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 64)).astype("float32")
    network(x), copy(x)
    copy.set_weights(network.get_weights())
    np.testing.assert_array_equal(network(x), copy(x))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"output_stride": 8}, "output_stride=8 is not known: use 16 or 32"),
        ({"stages": ("conv2", "conv4")}, "are not consecutive stages"),
        ({"stages": ("conv6",)}, "are not consecutive stages"),
        ({"stages": ()}, "are not consecutive stages"),
    ],
)
def test_unknown_settings_are_refused(arguments, text):
    with pytest.raises(UsageError, match=text):
        ResNet14(**arguments)
