import keras
import numpy as np
import pytest

from tests.nn.networks import images, randomised
from tests.nn.weight_files import arrays_of, write_h5, write_weights_h5
from tfreid.nn.efficientnet_v2 import BLOCKS, STAGES, EfficientNetV2B0
from tfreid.nn.pretrained import load_pretrained

WIDTH = 0.1


def features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.slow
def test_it_equals_keras_applications():
    published = keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=(64, 33, 3)
    )
    randomised(published.layers)
    for layer in published.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(2 * layer.gamma)  # Else the images are lost on the way.
    network = EfficientNetV2B0()
    network.build((None, 64, 33, 3))
    names = [layer.name for layer in published.layers if layer.weights]
    assert list(network.named_layers()) == names
    for name, layer in network.named_layers().items():
        layer.set_weights(published.get_layer(name).get_weights())
    assert network.count_params() == published.count_params()
    # The published network normalises its images itself.
    expected = np.asarray(published(images(64, 33), training=False))
    assert np.abs(expected[0] - expected[1]).max() > 0.05
    actual = network(network.normalise(images(64, 33)), training=False)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "top"), [("h5", True), ("weights.h5", False)])
def test_files_of_keras_applications_fit(suffix, top, tmp_path):
    published = keras.applications.EfficientNetV2B0(
        top, weights=None, input_shape=(32, 32, 3), classes=5
    )
    path = tmp_path / f"file.{suffix}"
    published.save(path) if suffix == "h5" else published.save_weights(path)
    network = EfficientNetV2B0()
    network.build((None, None, None, 3))
    report = load_pretrained([network], str(path))
    assert len(report.matched) == 150
    assert report.unexpected == (("predictions",) if top else ())
    for name, layer in network.named_layers().items():
        for ours, theirs in zip(layer.weights, published.get_layer(name).weights, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


@pytest.fixture(scope="module")
def pieces():
    split = EfficientNetV2B0.stages_to_stride_8
    trunk, branch = (
        EfficientNetV2B0(16, WIDTH, stages) for stages in (STAGES[:split], STAGES[split:])
    )
    trunk.build((None, None, None, 3))
    branch.build((None, None, None, trunk.filters))
    return trunk, branch


@pytest.mark.parametrize(("write", "numbered"), [(write_h5, True), (write_weights_h5, False)])
def test_trunk_and_branch_get_their_layers(write, numbered, pieces, tmp_path):
    arrays = arrays_of(pieces[0], seed=numbered) | arrays_of(pieces[1], seed=2 + numbered)
    names = [f"layer_{n}" if numbered else name for n, name in enumerate(arrays)]
    path = write(tmp_path / "file.h5", dict(zip(names, arrays.values(), strict=True)))
    report = load_pretrained(pieces, str(path))
    assert set(report.matched) == set(names)
    for name, layer in (pieces[0].named_layers() | pieces[1].named_layers()).items():
        for weight, array in zip(layer.weights, arrays[name], strict=True):
            np.testing.assert_array_equal(weight, array, err_msg=name)


def test_channels_of_every_stage():
    channels = [EfficientNetV2B0(stages=(stage,)).filters for stage in STAGES]
    assert channels == [32, 16, 32, 48, 96, 112, 192, 1280]


@pytest.mark.parametrize(("side", "first"), [(6, 1), (7, 0)])
def test_at_output_stride_16_block6_sees_every_position(side, first):
    coarse, fine = (EfficientNetV2B0(s, WIDTH, ("block6",)).blocks[0] for s in (32, 16))
    x = features(2, side, side, 11)
    coarse.build(x.shape)
    randomised(coarse.leaves())
    fine.build(x.shape)
    fine.set_weights(coarse.get_weights())
    # Squeeze and excitation, next, looks at the whole map.
    (expand, depthwise), (fine_expand, fine_depthwise) = coarse.row[:2], fine.row[:2]
    expected = np.asarray(depthwise(expand(x)))
    actual = np.asarray(fine_depthwise(fine_expand(x)))
    assert expected.std() > 0.1
    np.testing.assert_allclose(actual[:, first::2, first::2], expected, atol=1e-5)


def test_squeeze_and_excitation_weighs_channels():
    block = EfficientNetV2B0(16, WIDTH, ("block5",)).blocks[0]
    gate, x = block.row[2], features(2, 3, 4, block.wide)
    gate.build(x.shape)
    randomised(gate.leaves())
    (reduce, bias), (expand, offset) = (
        [weight.numpy().astype("float64") for weight in layer.weights] for layer in gate.leaves()
    )
    squeezed = x.mean((1, 2)) @ reduce[0, 0] + bias
    squeezed /= 1 + np.exp(-squeezed)
    weights = 1 / (1 + np.exp(-(squeezed @ expand[0, 0] + offset)))
    np.testing.assert_allclose(gate(x), x * weights[:, None, None], atol=1e-5)


def test_only_repeated_blocks_add_their_input():
    network = EfficientNetV2B0(width=WIDTH, stages=tuple(BLOCKS))
    added = [block.name for block in network.blocks if block.skip]
    assert added == [block.name for block in network.blocks if not block.name.endswith("a")]


def test_it_is_rebuilt_by_its_config():
    network = EfficientNetV2B0(16, WIDTH, STAGES[-2:])
    copy = EfficientNetV2B0.from_config(network.get_config())
    assert copy.get_config() == network.get_config()
    x = features(1, 4, 4, 11)
    network(x), copy(x)
    copy.set_weights(network.get_weights())
    np.testing.assert_array_equal(network(x), copy(x))
