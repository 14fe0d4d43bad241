import keras
import numpy as np
import pytest

from tests.nn.networks import images, randomised
from tests.nn.weight_files import arrays_of, write_h5
from tfreid.errors import UsageError
from tfreid.nn.inception_v3 import STAGES, InceptionV3
from tfreid.nn.pretrained import load_pretrained

WIDTH = 0.03
TAIL = STAGES[-3:]


def features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.fixture(scope="module")
def published():
    network = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(107, 75, 3)
    )
    randomised(network.layers)
    return network


@pytest.mark.slow
def test_it_equals_keras_applications(published, tmp_path):
    path = tmp_path / "file.weights.h5"
    published.save_weights(path)
    network = InceptionV3()
    network.build((None, None, None, 3))
    report = load_pretrained([network], str(path))
    assert len(report.matched) == 2 * 94
    assert network.count_params() == published.count_params()
    x = InceptionV3.normalise(images(107, 75))
    expected = np.asarray(published(x, training=False))
    assert expected.std() > 0.1
    np.testing.assert_allclose(network(x, training=False), expected, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_numbers_in_legacy_files_may_begin_anywhere(published, tmp_path):
    layers = {layer.name: layer.get_weights() for layer in published.layers if layer.weights}
    path = write_h5(tmp_path / "file.h5", {f"{name}_4": arrays for name, arrays in layers.items()})
    tail = InceptionV3(stages=TAIL)
    tail.build((None, None, None, 768))
    report = load_pretrained([tail], str(path))
    before = published.get_layer("mixed7").output
    inner = keras.Model(before, published.output)
    x = features(1, 5, 3, 768)
    np.testing.assert_allclose(tail(x), inner(x, training=False), rtol=0, atol=1e-5)
    assert len(report.matched) == 2 * 24
    assert all(name.endswith("_4") for name in report.matched + report.unexpected)


def test_normalise_equals_keras_applications():
    expected = keras.applications.inception_v3.preprocess_input(images(5, 4))
    np.testing.assert_allclose(InceptionV3.normalise(images(5, 4)), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output_stride", "size", "shape"),
    [(32, (512, 170), (14, 3)), (16, (512, 512), (30, 30))],
)
def test_the_feature_map_has_the_published_shape(output_stride, size, shape):
    network = InceptionV3(output_stride, WIDTH)
    assert network(keras.Input((*size, 3))).shape == (None, *shape, network.filters)


def test_it_has_2048_channels():
    assert InceptionV3().filters == InceptionV3(stages=TAIL).filters == 2048
    channels = [InceptionV3(stages=(stage,)).filters for stage in STAGES]
    assert channels == [192, 256, 288, 288, *[768] * 5, 1280, 2048, 2048]


def test_every_other_position_of_output_stride_16_is_that_of_32():
    coarse, fine = (InceptionV3(stride, WIDTH, TAIL) for stride in (32, 16))
    x = features(2, 7, 5, 24)
    coarse.build(x.shape)
    randomised(coarse.named_layers().values())
    expected = np.asarray(coarse(x))
    fine.build(x.shape)
    fine.set_weights(coarse.get_weights())
    actual = np.asarray(fine(x))
    assert (expected.shape, actual.shape) == ((2, 3, 2, 64), (2, 7, 5, 64))
    assert expected.std() > 0.1
    np.testing.assert_allclose(actual[:, 1::2, 1::2], expected, atol=1e-5)


@pytest.mark.parametrize(("pooling", "apart"), [("dilated", 2), ("plain", 1)])
def test_the_average_of_dilated_blocks_does_not_count_what_is_outside(pooling, apart):
    x = features(1, 5, 4, 2)
    inside = np.pad(np.ones((5, 4, 1)), ((2, 2), (2, 2), (0, 0)))
    padded = np.pad(x[0], ((2, 2), (2, 2), (0, 0)))
    expected = [
        [
            padded[r : r + 5 : apart, c : c + 5 : apart].sum((0, 1))
            / inside[r : r + 5 : apart, c : c + 5 : apart].sum()
            for c in range(4)
        ]
        for r in range(5)
    ]
    block = InceptionV3(16, WIDTH, TAIL[-1:], dilated_pooling=pooling).blocks[0]
    np.testing.assert_allclose(block.branches[-1].pool(x)[0], expected, atol=1e-6)


@pytest.mark.slow
def test_stages_compose_the_network(tmp_path):
    whole = InceptionV3(16, WIDTH)
    trunk, branch = (InceptionV3(16, WIDTH, stages) for stages in (STAGES[:4], STAGES[4:]))
    x = InceptionV3.normalise(images(75, 75))
    expected = whole(x)
    branch(trunk(x))
    path = write_h5(tmp_path / "file.h5", arrays_of(whole))
    load_pretrained([whole, trunk, branch], str(path))
    assert np.any(np.asarray(whole(x)) != expected)
    np.testing.assert_array_equal(branch(trunk(x)), whole(x))


def test_it_is_rebuilt_by_its_config():
    network = InceptionV3(16, WIDTH, TAIL[-1:])
    copy = InceptionV3.from_config(network.get_config())
    assert copy.get_config() == network.get_config()
    x = features(1, 4, 4, 64)
    network(x), copy(x)
    copy.set_weights(network.get_weights())
    np.testing.assert_array_equal(network(x), copy(x))


def test_unknown_settings_are_refused():
    with pytest.raises(UsageError, match="output_stride=8 is not known"):
        InceptionV3(8)
    with pytest.raises(UsageError, match="are not consecutive stages"):
        InceptionV3(stages=("mixed9", "mixed8"))
