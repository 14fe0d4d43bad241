import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfreid.datasets import VOCABULARIES, lookup
from tfreid.errors import UsageError
from tfreid.inputs import images


def encoded(pixels, file_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return tf.constant(buffer.getvalue())


def pixels_of(height=6, width=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_lossless_images_decode_exactly(file_format):
    image = images.decode_image(encoded(pixels_of(), file_format))
    np.testing.assert_array_equal(image, pixels_of())


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_grey_images_become_rgb(file_format):
    grey = np.full((6, 4), 77, np.uint8)
    image = images.decode_image(encoded(grey, file_format))
    assert image.shape == (6, 4, 3)
    np.testing.assert_allclose(tf.cast(image, tf.float32), 77, atol=1)


def bilinear(image, size_px):
    """Bilinear interpolation between pixel centres in plain float64 NumPy."""
    result = image.astype(np.float64)
    for axis, size in enumerate(size_px):
        count = result.shape[axis]
        places = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, count - 1)
        weight = (places - low).reshape([-1 if a == axis else 1 for a in range(result.ndim)])
        below, above = np.take(result, low, axis), np.take(result, high, axis)
        result = below * (1 - weight) + above * weight
    return result


@pytest.mark.parametrize("size_px", [(9, 5), (3, 2), (6, 4), (12, 3)])
def test_resize_interpolates_between_pixel_centres(size_px):
    resized = images.resize_image(tf.constant(pixels_of()), size_px)
    assert resized.dtype == tf.float32
    np.testing.assert_allclose(resized, bilinear(pixels_of(), size_px), atol=1e-3)


def test_mask_is_resized_on_the_image_grid():
    mask = np.zeros((6, 4), np.uint8)
    mask[2:5, 1:3] = 1
    large = images.resize_mask(tf.constant(mask), (18, 12))
    np.testing.assert_array_equal(large, np.kron(mask, np.ones((3, 3), np.uint8)))
    image = images.resize_image(tf.constant(np.repeat(mask[..., None] * 200, 3, -1)), (18, 12))
    np.testing.assert_array_equal(large, image[..., 0] > 80)


@pytest.mark.parametrize("flip", [False, True])
def test_mirror(flip):
    mirrored = images.mirror(tf.constant(pixels_of()), tf.constant(flip))
    np.testing.assert_array_equal(mirrored, pixels_of()[:, ::-1] if flip else pixels_of())


def test_masks_decode_to_class_indices():
    mask = np.arange(20, dtype=np.uint8).reshape(5, 4)
    np.testing.assert_array_equal(images.decode_mask(encoded(mask, "PNG")), mask)


@pytest.mark.parametrize("vocabulary", ["lip20", "atr18"])
def test_mirroring_swaps_left_and_right_limbs(vocabulary):
    plain, mirrored = images.class_tables(vocabulary, vocabulary)
    names = VOCABULARIES[vocabulary]
    np.testing.assert_array_equal(plain, np.arange(len(names)))
    for index, name in enumerate(names):
        left_right = {"left": "right", "right": "left"}
        side, _, limb = name.partition("-")
        expected = f"{left_right[side]}-{limb}" if side in left_right else name
        assert names[mirrored[index]] == expected


@pytest.mark.parametrize("target", ["regions4", "binary"])
def test_tables_of_coarser_vocabularies_follow_the_lookup(target):
    for table in images.class_tables("lip20", target):
        np.testing.assert_array_equal(table, lookup("lip20", target))


def test_tables_refuse_a_finer_vocabulary():
    with pytest.raises(UsageError, match="binary cannot be converted to regions4"):
        images.class_tables("binary", "regions4")
