import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.counts import convolution, inception
from tests.methods.harness import MethodContract, info
from tfreid.errors import UsageError
from tfreid.methods import parsing
from tfreid.methods.parsing.heads import PaperHead, pyramid_pool, upsample
from tfreid.methods.parsing.recipe import ParsingRecipe, build


class TestParsing(MethodContract):
    method = parsing.METHOD


@pytest.mark.parametrize(("vocabulary", "classes"), [("regions4", 4), ("binary", 2)])
def test_paper_shapes_and_parameter_count(vocabulary, classes):
    model = build(ParsingRecipe(vocabulary=vocabulary), info())
    model.build((1, 96, 96, 3))
    x = model.normalise(np.zeros((1, 96, 96, 3), "float32"))
    shapes = []
    for layer in (model.stem, *model.inceptions):
        x = layer(x)
        shapes.append(x.shape)
    assert shapes == [(1, 48, 48, 128), (1, 24, 24, 768), (1, 12, 12, 1536), (1, 6, 6, 3072)]
    assert [p.shape[1:3] for p in pyramid_pool(x)] == [(1, 1), (2, 2), (3, 3)]
    assert model(np.zeros((1, 96, 96, 3)))["logits"].shape == (1, 96, 96, classes)
    assert model.count_params() == 3 + sum(
        (
            convolution(5, 3, 128, True) + 2 * convolution(5, 128, 128, True),
            inception(128, 128, True) + inception(768, 256, True) + inception(1536, 512, True),
            3 * 3072 * classes + classes,
        )
    )


def test_paper_head_equals_convolution_of_the_concatenated_pyramid():
    features = np.random.default_rng(0).normal(size=(2, 6, 6, 7))
    head = PaperHead(classes=4, width=1.0)
    actual = head([tf.constant(features, tf.float32)], size_px=(24, 24))
    kernels = [np.asarray(c.kernel, "float64")[0, 0] for c in head.classifiers]
    pyramid = [
        features.reshape(2, grid, 6 // grid, grid, 6 // grid, 7).mean((2, 4)) for grid in (1, 2, 3)
    ]
    stack = np.concatenate([upsample(p.astype("float32"), (24, 24)) for p in pyramid], axis=-1)
    expected = stack @ np.concatenate(kernels) + np.asarray(head.classifiers[0].bias)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_pixel_cross_entropy_matches_float64():
    rng = np.random.default_rng(1)
    logits, mask = rng.normal(size=(3, 4, 5, 4)), rng.integers(0, 4, (3, 4, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    picked = np.take_along_axis(probabilities, mask[..., None], -1)[..., 0]
    expected = -np.log(picked).mean((1, 2))
    actual = parsing.pixel_cross_entropy(tf.constant(logits, tf.float32), tf.constant(mask))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("field", ["parsing_head", "vocabulary"])
def test_unknown_settings_are_refused(field):
    with pytest.raises(UsageError, match=rf"{field}='other'.*use one of"):
        dataclasses.replace(ParsingRecipe(), **{field: "other"})
