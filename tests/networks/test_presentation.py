"""How images are given to networks: the arithmetic, and the presets against their sources."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.networks import PRESETS, Presentation

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 4, 3)).astype("float32")


def presented(presentation: Presentation) -> np.ndarray:
    return presentation.present(tf.constant(IMAGES)).numpy()


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_the_presets_of_keras_are_what_keras_does(mode):
    expected = keras.applications.imagenet_utils.preprocess_input(IMAGES.copy(), mode=mode)
    np.testing.assert_allclose(presented(PRESETS[f"keras-{mode}"]), expected, atol=2e-5)


@pytest.mark.parametrize("name", ["torchreid", "boxmot"])
def test_the_presets_of_torch_tools_are_to_tensor_and_normalize(name):
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (IMAGES / 255 - mean) / deviation
    np.testing.assert_allclose(presented(PRESETS[name]), expected, atol=2e-6)
    assert PRESETS[name].image_size_px == (256, 128)


def test_the_other_presets_keep_pixels_but_for_colours_and_range():
    np.testing.assert_array_equal(presented(PRESETS["0..255"]), IMAGES)
    np.testing.assert_array_equal(presented(PRESETS["fast-reid"]), IMAGES)
    np.testing.assert_array_equal(presented(PRESETS["openvino"]), IMAGES[..., ::-1])
    np.testing.assert_allclose(presented(PRESETS["0..1"]), IMAGES / 255, rtol=1e-6)


def test_colours_are_turned_before_the_mean_and_the_layout_comes_last():
    presentation = Presentation(
        layout="nchw", colours="bgr", scale=1.0, mean=(0.1, 0.2, 0.3), deviation=(1.0, 2.0, 4.0)
    )
    expected = (IMAGES[..., ::-1] / 255 - [0.1, 0.2, 0.3]) / [1, 2, 4]
    found = presented(presentation)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.moveaxis(expected, 3, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"image_size_px": (0, 4)}, r"image_size_px=\(0, 4\): give height and width"),
        ({"image_size_px": (4,)}, "give height and width"),
        ({"image_size_px": (4.0, 4.0)}, "give height and width"),
        ({"layout": "hwc"}, "layout='hwc' is not known: use nhwc or nchw"),
        ({"colours": "grey"}, "colours='grey' is not known: use rgb or bgr"),
        ({"scale": 2.0}, r"scale=2\.0: the range ends at 255 or at 1"),
        ({"mean": (1.0, 2.0)}, "give three numbers"),
        ({"mean": (1.0, 2.0, float("nan"))}, "give three numbers"),
        ({"deviation": (1.0, 0.0, 1.0)}, "pixels are divided by it"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, text):
    with pytest.raises(UsageError, match=text):
        Presentation(**fields)


def test_it_is_said_on_one_line():
    assert PRESETS["openvino"].words() == "BGR, 0 to 255"
    assert PRESETS["keras-tf"].words() == "RGB, 0 to 1, less 0.5 0.5 0.5, divided by 0.5 0.5 0.5"
