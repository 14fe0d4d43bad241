"""Colour overlays for TensorBoard."""

import numpy as np

from tfreid.training.summaries import overlay_classes, overlay_heat


def test_classes_are_tinted_and_the_background_is_not():
    images = np.full((1, 2, 3, 3), 100.0)
    masks = np.array([[[0, 1, 2], [0, 1, 21]]])
    picture = overlay_classes(images, masks)
    assert picture.dtype == np.uint8
    assert (picture[0, :, 0] == 100).all()
    assert not np.array_equal(picture[0, 0, 1], picture[0, 0, 2])
    np.testing.assert_array_equal(picture[0, 0, 1], picture[0, 1, 2])  # colours repeat after 20


def test_heat_is_resized_and_grows_with_the_map():
    images = np.zeros((1, 4, 4, 3))
    picture = overlay_heat(images, np.array([[[0.0, 1.0]]], np.float32))
    assert picture.shape == (1, 4, 4, 3)
    brightness = picture[0, 0].astype(int).sum(axis=-1)
    assert (np.diff(brightness) >= 0).all()
    assert brightness[-1] > 2 * brightness[0]
