import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.counts import convolution
from tests.methods.harness import MethodContract
from tfreid.methods import parsing
from tfreid.methods.parsing.recipe import semantic_demo
from tfreid.methods.parsing.semantic_parser import RATES, AtrousSpatialPyramid, SemanticParser


class TestSemanticParser(MethodContract):
    method = parsing.METHOD
    test_update_is_the_same_on_two_devices = None  # As of the method's other network.

    @pytest.fixture
    def recipe(self):
        return dataclasses.replace(semantic_demo(), image_size_px=(96, 80), width=0.05)


BACKBONE = 21_802_784
"""Parameters of Inception-V3 without its classifier."""


@pytest.fixture(scope="module")
def paper():
    parser = SemanticParser()
    parser.build((None, 512, 512, 3))
    return parser


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(0)
    parser = SemanticParser(width=0.05)
    parser.build((None, 96, 80, 3))
    return parser


def images(*size):
    return np.random.default_rng(0).uniform(0, 255, (2, *size, 3)).astype("float32")


def test_parameter_count_of_the_paper(paper):
    assert paper.backbone.count_params() == BACKBONE
    assert paper.pyramid.count_params() == sum(
        (
            len(RATES) * convolution(3, 2048, 256, False),
            2 * convolution(1, 2048, 512, False),
            convolution(1, 4 * 256 + 2 * 512, 1024, False),
        )
    )
    assert paper.classifier.count_params() == 1024 * 20 + 20
    layers = [layer for group in paper.trained_layers().values() for layer in group]
    assert sum(layer.count_params() for layer in layers) == paper.count_params()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "resolution"), [((512, 512), (30, 30)), ((512, 170), (30, 8)), ((748, 246), (45, 13))]
)
def test_paper_shapes(paper, size, resolution):
    x = keras.Input((*size, 3))
    assert paper.backbone(x).shape == (None, *resolution, 2048)
    assert paper.probabilities(x).shape == (None, *resolution, 20)
    assert paper(x)["logits"].shape == (None, *size, 20)


@pytest.mark.parametrize("size", [(75, 75), (96, 80), (171, 113)])
def test_it_parses_images_of_any_size(small, size):
    probabilities = small.probabilities(images(*size))
    assert probabilities.dtype == tf.float32
    np.testing.assert_allclose(tf.reduce_sum(probabilities, -1), 1, atol=1e-5)
    assert all(abs(probabilities.shape[i + 1] - (size[i] / 16 - 2)) <= 1 for i in (0, 1))
    assert small.regions(images(*size)).shape == (2, *size)


def test_pyramid_equals_its_definition():
    keras.utils.set_random_seed(0)
    pyramid = AtrousSpatialPyramid(width=0.02)
    x = np.random.default_rng(0).normal(size=(2, 14, 13, 6))
    actual = pyramid(tf.constant(x, tf.float32))

    def unit(unit, x, rate=1):
        """Convolution with zeros around the map, batch normalisation as it starts, ReLU."""
        kernel = np.asarray(unit.linear.kernel, "float64")
        edge = rate * (kernel.shape[0] // 2)
        padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
        total = 0
        for i in range(kernel.shape[0]):
            for j in range(kernel.shape[1]):
                rows = slice(i * rate, i * rate + x.shape[1])
                columns = slice(j * rate, j * rate + x.shape[2])
                total = total + padded[:, rows, columns] @ kernel[i, j]
        return np.maximum(total / np.sqrt(1 + 1e-3), 0)

    maps = [unit(pyramid.branches[0], x)]
    maps += [unit(b, x, rate) for b, rate in zip(pyramid.branches[1:], RATES, strict=True)]
    mean = unit(pyramid.image, x.mean((1, 2), keepdims=True))
    maps.append(np.broadcast_to(mean, (2, 14, 13, mean.shape[-1])))
    expected = unit(pyramid.join, np.concatenate(maps, -1))
    assert expected.std() > 0.1
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_scores_come_to_lie_where_they_were_taken(small):
    """The centre of a position's field of view is 21 + 16 i."""
    scores = np.zeros((1, 10, 8, 1), "float32")
    scores[0, 4, 2] = 1
    enlarged = np.asarray(small.enlarge(scores, (192, 160)))[0, ..., 0]
    rows, columns = np.unravel_index(enlarged.argmax(), enlarged.shape)
    assert abs(rows - (21 + 16 * 4)) <= 4
    assert abs(columns - (21 + 16 * 2)) <= 4
    assert np.all(small.enlarge(np.ones_like(scores), (192, 160)) == 1)


def test_pyramid_is_rebuilt_by_its_config():
    pyramid = AtrousSpatialPyramid(width=0.02)
    assert AtrousSpatialPyramid.from_config(pyramid.get_config()).get_config() == (
        pyramid.get_config()
    )
