import functools
import hashlib

import keras
import numpy as np
import pytest

from tests.nn.weight_files import arrays_of, write_h5, write_weights_h5
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.nn.pretrained import load_pretrained
from tfreid.nn.resnet import STAGES, ResNet14, ResNet50

TOP = {"predictions": [np.ones((256, 5), "float32"), np.ones(5, "float32")]}


def built(stages=STAGES, kind=ResNet14, width=0.125):
    network = kind(16, width, stages)
    inputs = 3 if stages[0] == "conv1" else round(512 * width)
    network.build((None, None, None, inputs))
    return network


@pytest.fixture(scope="module")
def network():
    return built()


def assert_holds(network, arrays):
    for name, layer in network.named_layers().items():
        for weight, array in zip(layer.weights, arrays[name], strict=True):
            np.testing.assert_array_equal(weight, array, err_msg=name)


@pytest.mark.parametrize("write", [write_h5, write_weights_h5])
@pytest.mark.parametrize("top", [{}, TOP])
def test_trunk_and_branches_get_their_layers(write, top, network, tmp_path):
    arrays = arrays_of(network)
    path = write(tmp_path / "file.weights.h5", arrays | top)
    pieces = [built(STAGES[:3]), built(STAGES[3:]), built(STAGES[3:])]
    report = load_pretrained(pieces, str(path))
    for piece in pieces:
        assert_holds(piece, arrays)
    assert sorted(report.matched) == sorted(arrays)
    assert report.unexpected == tuple(top)


def test_other_stages_are_reported(network, tmp_path):
    path = write_h5(tmp_path / "file.h5", arrays_of(network) | TOP)
    report = load_pretrained([built(STAGES[:1])], str(path))
    assert str(report) == (
        f"loaded 2 layers of {path}; not used: conv2_block1_1_conv, conv2_block1_1_bn, "
        "conv2_block1_2_conv, conv2_block1_2_bn and 29 more"
    )
    assert report.matched == ("conv1_conv", "conv1_bn")


@pytest.mark.parametrize("write", [write_h5, write_weights_h5])
def test_numbered_layers_are_matched_by_order(write, network, tmp_path):
    arrays = arrays_of(network)
    numbered = {f"layer_{number}": values for number, values in enumerate(arrays.values(), 95)}
    piece = built(STAGES[3:])
    report = load_pretrained([piece], str(write(tmp_path / "file.h5", numbered | TOP)))
    assert_holds(piece, arrays)
    first = 95 + list(arrays).index("conv4_block1_1_conv")
    assert set(report.matched) == {f"layer_{n}" for n in range(first, 95 + len(arrays))}
    assert "predictions" in report.unexpected


def test_none_leaves_the_weights(network):
    before = network.get_weights()
    assert load_pretrained([network], "none") is None
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def without(arrays, name):
    return {key: values for key, values in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda arrays: without(arrays, "conv5_block1_0_bn"),
            "another network than resnet14: missing conv5_block1_0_bn; unexpected none",
        ),
        (
            lambda arrays: arrays | {"conv4_block2_1_conv": arrays["conv4_block1_1_conv"]},
            "another network than resnet14: missing none; unexpected conv4_block2_1_conv",
        ),
        (
            lambda arrays: arrays | {"conv1_bn": arrays["conv1_bn"][:3]},
            r"resnet14 of width 0.125: conv1_bn \(expected .*, found .*\) differ in shape",
        ),
        (
            lambda arrays: dict(enumerate_names(without(arrays, "conv1_conv"))),
            r"expected 17 convolutions, found 16 \(layer_1, layer_3, layer_5, layer_\d+ and 12",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_whole(change, text, network, tmp_path):
    path = write_h5(tmp_path / "file.h5", change(arrays_of(network)))
    before = network.get_weights()
    with pytest.raises(DataError, match=text):
        load_pretrained([network], str(path))
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def enumerate_names(arrays):
    return ((f"layer_{number}", values) for number, values in enumerate(arrays.values()))


def test_a_missing_file_is_named(network, tmp_path):
    with pytest.raises(MissingPathError, match=r"weights=.*absent.h5: there is no such file"):
        load_pretrained([network], str(tmp_path / "absent.h5"))


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"text", "is not a weights file"), (None, "holds no layers of Keras")],
)
def test_files_of_another_kind_are_refused(content, text, network, tmp_path):
    path = write_h5(tmp_path / "file.h5", {})
    if content:
        path.write_bytes(content)
    with pytest.raises(DataError, match=text):
        load_pretrained([network], str(path))


def test_imagenet_weights_exist_for_published_networks_only(network):
    with pytest.raises(UsageError, match=r"none for resnet14 of width 0\.125, only for resnet50, "):
        load_pretrained([network], "imagenet")


def test_a_failed_download_says_what_to_do(network, monkeypatch):
    url = "http://127.0.0.1:9/absent.h5"
    monkeypatch.setattr(ResNet50, "imagenet", (url, "0" * 32))
    with pytest.raises(DataError, match=rf"cannot download {url} .*--recipe.weights=none"):
        load_pretrained([ResNet50()], "imagenet")


def test_imagenet_weights_are_downloaded_once_and_checked(network, tmp_path, monkeypatch):
    arrays = arrays_of(network)
    path = write_h5(tmp_path / "published.h5", arrays)
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    get_file = functools.partial(keras.utils.get_file, cache_dir=str(tmp_path / "cache"))
    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setattr(ResNet14, "imagenet", (path.as_uri(), md5))
    piece = built(STAGES[:3])
    monkeypatch.setattr(piece, "width", 1.0)
    load_pretrained([piece], "imagenet")
    assert_holds(piece, arrays)
    path.unlink()
    load_pretrained([piece], "imagenet")
    monkeypatch.setattr(ResNet14, "imagenet", (path.as_uri(), "0" * 32))
    with pytest.raises(DataError, match="cannot download"):
        load_pretrained([piece], "imagenet")


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "top"), [("h5", True), ("weights.h5", False)])
def test_files_of_keras_applications_fit(suffix, top, tmp_path):
    shape = (32, 32, 3)
    published = keras.applications.ResNet50(top, weights=None, input_shape=shape, classes=5)
    path = tmp_path / f"file.{suffix}"
    published.save(path) if suffix == "h5" else published.save_weights(path)
    network = built(kind=ResNet50, width=1.0)
    report = load_pretrained([network], str(path))
    assert_holds(
        network, {name: published.get_layer(name).get_weights() for name in network.named_layers()}
    )
    assert len(report.matched) == 106
    assert report.unexpected == (("predictions",) if top else ())
