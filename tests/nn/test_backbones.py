"""What holds for every backbone of the table, and for one that is not in it."""

import keras
import numpy as np
import pytest

from tfreid.errors import UsageError
from tfreid.nn import BACKBONES, backbone_class
from tfreid.nn.inception_v3 import InceptionV3

WIDTH = 0.03
FAMILIES = ("resnet14", "inception_v3", "efficientnet_v2_b0")


def test_names_are_those_of_the_networks():
    assert {name: backbone.architecture for name, backbone in BACKBONES.items()} == {
        name: name for name in BACKBONES
    }


def test_a_class_stands_for_itself():
    assert backbone_class("inception_v3") is InceptionV3
    assert backbone_class(InceptionV3) is InceptionV3
    with pytest.raises(UsageError, match="backbone='vgg16' is not known: use one of resnet14, "):
        backbone_class("vgg16")


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [16, 32])
@pytest.mark.parametrize("name", FAMILIES)
def test_maps_have_the_size_that_is_said(name, output_stride):
    network = BACKBONES[name](output_stride, WIDTH)
    for size_px in ((384, 129), (107, 76)):
        shape = network(keras.KerasTensor((1, *size_px, 3))).shape
        assert shape[1:3] == network.map_size(size_px, output_stride), size_px


@pytest.mark.parametrize("name", FAMILIES)
def test_the_shared_stages_come_to_an_eighth_of_the_resolution(name):
    backbone = BACKBONES[name]
    network = backbone(width=WIDTH, stages=backbone.all_stages[: backbone.stages_to_stride_8])
    high, low = (network(keras.KerasTensor((1, side, 96, 3))).shape[1] for side in (960, 480))
    assert high - low == 480 / 8
    after = backbone(width=WIDTH, stages=(backbone.all_stages[backbone.stages_to_stride_8],))
    assert after(keras.KerasTensor((1, 40, 40, network.filters))).shape[1] in (19, 20)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("output_stride", [16, 32])
def test_the_smallest_image_is_the_smallest(name, output_stride):
    backbone = BACKBONES[name]
    for positions in (1, 2, 5):
        side = backbone.smallest_px(positions, output_stride)
        assert backbone.map_size((side, side), output_stride) == (positions, positions)
        assert backbone.positions(side - 1, output_stride) == positions - 1


def test_too_small_images_are_refused():
    assert InceptionV3.map_size((75, 80), 32) == (1, 1)
    with pytest.raises(UsageError, match=r"74x80 px is too small for inception_v3: .* 75x75"):
        InceptionV3.map_size((74, 80), 32)


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [16, 32])
def test_a_position_of_inception_v3_lies_amid_its_pixels(output_stride):
    """Convolutions that copy their middle, on ramps of pixels, tell where a position looks."""
    network = InceptionV3(output_stride, WIDTH)
    network.build((None, None, None, 3))
    for layer in network.named_layers().values():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(1 - layer.epsilon * np.ones(layer.moving_variance.shape))
            continue
        height, width, inputs, outputs = layer.kernel.shape
        kernel = np.zeros((height, width, inputs, outputs))
        kernel[height // 2, width // 2] = 1 / inputs
        layer.kernel.assign(kernel)
    side = 32 * 11
    ramp = np.broadcast_to(np.arange(side, dtype="float32")[:, None, None], (side, side, 3))
    maps = np.asarray(network(np.stack([ramp, side - ramp])))[..., 0].astype("float64")
    # Max-pooling looks ahead on one ramp and back on the other.
    centres = (maps[0] + side - maps[1])[:, maps.shape[2] // 2] / 2
    inner = slice(len(centres) // 2 - 2, len(centres) // 2 + 2)
    numbers = np.arange(len(centres))[inner]
    first = network.offset_px(output_stride) + (output_stride - 1) / 2
    expected = first + output_stride * numbers
    np.testing.assert_allclose(centres[inner], expected, atol=0.51)


def test_under_the_map_are_its_positions_pixels():
    image = np.arange(100)[None, :, None] * np.ones((1, 100, 90))
    assert InceptionV3.map_size((100, 90), 16) == (4, 3)
    seen = InceptionV3.under_map(image, 16)
    assert seen.shape == (1, 64, 48)
    assert seen[0, 0, 0] == InceptionV3.offset_px(16) == 14
    assert BACKBONES["resnet14"].under_map(image, 16).shape == (1, 100, 90)
