"""Each operation against NumPy in float64, and the random numbers that it gets."""

import zlib

import numpy as np
import pytest
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.inputs import (
    ColourJitter,
    InputSpec,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
    training_batches,
)
from tfreid.inputs.augmentation import ATTEMPTS
from tfreid.inputs.sampling import Purpose

HEIGHT, WIDTH = SIZE_PX = (12, 8)
FILL = (100.25, 110.5, 120.75)
SEED, STEP, COUNT = 3, 5, 40
RNG = np.random.default_rng(0)
IMAGE = RNG.uniform(0, 255, (*SIZE_PX, 3)).astype(np.float32)
MASK = RNG.integers(1, 4, SIZE_PX, dtype=np.int32)


def apply(operation, draws, mask=MASK):
    image, mask = operation(tf.constant(IMAGE), mask, tf.constant(draws, tf.float64))
    assert image.dtype == tf.float32
    return image.numpy(), None if mask is None else np.asarray(mask)


def stream(*words):
    return np.random.default_rng([SEED, Purpose.AUGMENTATION, STEP, *words])


@pytest.mark.parametrize("with_mask", [True, False])
def test_padded_crop_moves_image_and_mask_alike(with_mask):
    for draws in RNG.random((20, 3)):
        operation = PaddedCrop(0.5, 3, fill=FILL)
        image, mask = apply(operation, draws, MASK if with_mask else None)
        expected = np.tile(np.array(FILL, np.float32), (HEIGHT + 6, WIDTH + 6, 1))
        expected[3:-3, 3:-3] = IMAGE
        expected_mask = np.pad(MASK, 3)
        top, left = (draws[1:] * 7).astype(int) if draws[0] < 0.5 else (3, 3)
        place = slice(top, top + HEIGHT), slice(left, left + WIDTH)
        np.testing.assert_array_equal(image, expected[place])
        if with_mask:
            np.testing.assert_array_equal(mask, expected_mask[place])
        else:
            assert mask is None


def jittered(image, factors):
    """Brightness, contrast and saturation by their definitions."""

    def grey(rgb):
        return rgb @ np.array([0.299, 0.587, 0.114])

    image = np.clip(image.astype(np.float64) * factors[0], 0, 255)
    mean = grey(image).mean()
    image = np.clip(mean + factors[1] * (image - mean), 0, 255)
    shade = grey(image)[..., None]
    return np.clip(shade + factors[2] * (image - shade), 0, 255)


def test_colour_jitter():
    strengths = np.array([0.5, 0.4, 0.9])
    for draws in RNG.random((20, 4)):
        image, mask = apply(ColourJitter(0.5, *strengths), draws)
        factors = 1 + strengths * (2 * draws[1:] - 1)
        expected = jittered(IMAGE, factors) if draws[0] < 0.5 else IMAGE
        np.testing.assert_allclose(image, expected, atol=2e-3)
        np.testing.assert_array_equal(mask, MASK)


def erased(draws, area, aspect):
    """The pixels of the first of the rectangles drawn that is smaller than the image."""
    inside = np.zeros(SIZE_PX, bool)
    for size, ratio, top, left in draws[1:].reshape(4, ATTEMPTS).T:
        pixels = HEIGHT * WIDTH * (area[0] + (area[1] - area[0]) * size)
        ratio = aspect[0] + (aspect[1] - aspect[0]) * ratio
        height, width = np.round(np.sqrt([pixels * ratio, pixels / ratio])).astype(int)
        if height < HEIGHT and width < WIDTH:
            top, left = int(top * (HEIGHT - height + 1)), int(left * (WIDTH - width + 1))
            inside[top : top + height, left : left + width] = True
            break
    return inside


@pytest.mark.parametrize("area", [(0.02, 0.4), (0.3, 0.9)])
def test_random_erasing(area):
    operation = RandomErasing(0.5, area=area, fill=FILL)
    for draws in RNG.random((40, operation.draws)):
        image, mask = apply(operation, draws)
        inside = erased(draws, area, (0.3, 1 / 0.3)) & (draws[0] < 0.5)
        np.testing.assert_array_equal(image[~inside], IMAGE[~inside])
        np.testing.assert_array_equal(image[inside], np.tile(np.float32(FILL), (inside.sum(), 1)))
        np.testing.assert_array_equal(mask, MASK)


def test_published_settings_of_random_erasing_always_find_a_rectangle():
    operation = RandomErasing(1.0, fill=(-1.0, -1.0, -1.0))
    shares = [
        (apply(operation, draws)[0] < 0).mean() for draws in RNG.random((200, operation.draws))
    ]
    assert 0.01 < min(shares) < 0.06
    assert 0.35 < max(shares) < 0.45


def test_an_image_for_which_no_rectangle_fits_stays_as_it_is():
    operation = RandomErasing(1.0, area=(1.0, 1.0), aspect=(1.0, 1.0), fill=FILL)
    image, _ = apply(operation, np.zeros(operation.draws))
    np.testing.assert_array_equal(image, IMAGE)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Mirror(1.5), r"probability of Mirror must lie in \(0, 1\], not 1.5"),
        (lambda: RandomBackground(0.0), "of RandomBackground .* not 0.0; to do without, leave it"),
        (lambda: PaddedCrop(1.0, 0), "padding_px must be above 0, not 0"),
        (lambda: ColourJitter(1.0, contrast=2.0), "contrast of ColourJitter must lie in"),
        (lambda: RandomErasing(area=(0.0, 0.5)), "area of RandomErasing .* at most 1, not"),
        (lambda: RandomErasing(aspect=(2.0, 1.0)), r"aspect of RandomErasing .*, not \(2.0, 1.0\)"),
    ],
)
def test_impossible_settings_are_refused(make, text):
    with pytest.raises(UsageError, match=text):
        make()


class Darken:
    """A user's operation."""

    name = "darken"
    draws = 1

    def __call__(self, image, mask, draws):
        return image * tf.cast(draws[0], tf.float32), mask


@pytest.fixture
def batch_of(make_folder):
    """Returns one batch of images that are all white, the left column black, with their masks."""
    image = np.full((*SIZE_PX, 3), 255, np.uint8)
    image[:, 0] = 0
    folder = make_folder([image], [np.ones(SIZE_PX, np.uint8)])

    def batch(*augmentation, **more):
        spec = InputSpec(SIZE_PX, augmentation=augmentation, **more)
        batches = training_batches(folder, "train", spec, COUNT, SEED, start_step=STEP, steps=1)
        (batch,) = batches.as_numpy_iterator()
        return batch

    return batch


def test_mirror_and_background_are_drawn_from_the_stream_that_they_share(batch_of):
    draws = stream().random((COUNT, 5))
    mirrored = batch_of(Mirror(0.4))["image"][:, 0, 0, 0] == 255
    np.testing.assert_array_equal(mirrored, draws[:, 0] < 0.4)


def test_operations_are_drawn_from_streams_of_their_names(batch_of):
    darkness = stream(zlib.crc32(b"darken")).random((COUNT, 1))
    images = batch_of(RandomErasing(1e-9), Darken(), PaddedCrop(1e-9, 1))["image"]
    np.testing.assert_allclose(images[:, 0, 4, 0], 255 * darkness[:, 0], rtol=1e-5)


def test_an_operation_does_not_disturb_the_others(batch_of):
    few = batch_of(Mirror(0.4), Darken())
    many = batch_of(Mirror(0.4), RandomErasing(1e-9), ColourJitter(1e-9), Darken())
    np.testing.assert_array_equal(few["image"], many["image"])


def test_what_is_left_open_is_filled_with_the_mean_pixel(batch_of):
    batch = batch_of(PaddedCrop(1.0, 2), RandomErasing(1.0), mask_vocabulary="binary")
    seen = {tuple(pixel) for pixel in batch["image"].reshape(-1, 3)}
    assert seen == {(0.0,) * 3, (255.0,) * 3, tuple(np.float32(FILL))}
    border = batch["mask"] == 0
    assert 0.05 < border.mean() < 0.4
    assert (batch["image"][border] == np.float32(FILL)).all()
    # What is erased keeps its mask.
    assert (batch["image"][~border] == np.float32(FILL)).all(axis=-1).any()


def test_an_operation_that_changes_the_size_is_refused(batch_of):
    class Halve(Darken):
        def __call__(self, image, mask, draws):
            return image[::2], mask

    with pytest.raises(ValueError, match=r"Shapes are \[12,8,3\] and \[6,8,3\].*darken"):
        batch_of(Halve())
