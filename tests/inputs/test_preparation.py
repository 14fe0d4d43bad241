"""The pixels of batches, against NumPy, on images of several sizes in one set."""

import numpy as np
import pytest
import tensorflow as tf

from tfreid.datasets import VOCABULARIES, lookup
from tfreid.inputs import (
    InputSpec,
    Mirror,
    RandomBackground,
    evaluation_batches,
    resize_image,
    training_batches,
)
from tfreid.inputs.images import class_tables

SIZES_PX = [(12, 8), (9, 15), (20, 6), (12, 8), (5, 5)]
OUTPUT_PX = (12, 8)
MEAN_PIXEL = (100.25, 110.5, 120.75)


def image_of(index):
    rng = np.random.default_rng([index])
    return rng.integers(0, 256, (*SIZES_PX[index], 3), dtype=np.uint8)


def mask_of(index):
    rng = np.random.default_rng([index, 1])
    return rng.integers(0, 20, SIZES_PX[index], dtype=np.uint8) * rng.integers(
        0, 2, SIZES_PX[index], dtype=np.uint8
    )


def backgrounds():
    """Scenes of one colour each, which no image holds over a whole area."""
    return [np.full((30, 24, 3), value, np.uint8) for value in (40, 140, 240)]


@pytest.fixture
def folder(make_folder):
    count = len(SIZES_PX)
    return make_folder(
        [image_of(i) for i in range(count)], [mask_of(i) for i in range(count)], backgrounds()
    )


def images_of(dataset, count):
    """The first images of a data set by the index in their key."""
    batches = dataset.unbatch().take(count).as_numpy_iterator()
    return [(int(example["key"].split(b"/")[1]), example) for example in batches]


def resized(pixels):
    return resize_image(tf.constant(pixels), OUTPUT_PX).numpy()


def equation_1(foreground, mask, background):
    m = (mask > 0).astype(np.float64)[..., None]
    return (foreground * m + background * (1 - m)).astype(np.float32)


EXPECTED = {
    "original": lambda image, mask: image,
    "mean_background": lambda image, mask: equation_1(image, mask, np.array(MEAN_PIXEL)),
    "background_only": lambda image, mask: equation_1(np.array(MEAN_PIXEL), mask, image),
}


@pytest.mark.parametrize("variant", EXPECTED)
@pytest.mark.parametrize("batches", [evaluation_batches, training_batches])
def test_variants(folder, variant, batches):
    spec = InputSpec(OUTPUT_PX, variant=variant)
    for index, example in images_of(batches(folder, "train", spec, 2, seed=0), 5):
        expected = resized(EXPECTED[variant](image_of(index), mask_of(index)))
        np.testing.assert_allclose(example["image"], expected, atol=1e-3)


def test_random_background_variant(folder):
    spec = InputSpec(OUTPUT_PX, variant="random_background")
    for index, example in images_of(evaluation_batches(folder, "train", spec, 2, seed=0), 5):
        candidates = [
            resized(equation_1(image_of(index), mask_of(index), value)) for value in (40, 140, 240)
        ]
        assert min(np.abs(example["image"] - image).max() for image in candidates) < 1e-3


def test_random_backgrounds_of_evaluation_depend_on_the_record_and_the_seed_alone(folder):
    spec = InputSpec(OUTPUT_PX, variant="random_background")

    def pixels(batch_size, seed):
        examples = images_of(evaluation_batches(folder, "train", spec, batch_size, seed), 5)
        assert [index for index, _ in examples] == [0, 1, 2, 3, 4]
        return np.stack([example["image"] for _, example in examples])

    np.testing.assert_array_equal(pixels(5, seed=0), pixels(2, seed=0))
    assert any((pixels(5, seed=0) != pixels(5, seed=seed)).any() for seed in range(1, 4))


def test_share_of_random_backgrounds(folder):
    spec = InputSpec(OUTPUT_PX, augmentation=(RandomBackground(0.25),))
    originals = [resized(image_of(index)) for index in range(5)]
    dataset = training_batches(folder, "train", spec, 50, seed=0)
    changed = [
        np.abs(example["image"] - originals[index]).max() > 1e-3
        for index, example in images_of(dataset, 2_000)
    ]
    assert np.mean(changed) == pytest.approx(0.25, abs=0.03)


def test_backgrounds_are_replaced_whether_or_not_the_image_is_mirrored(folder):
    spec = InputSpec(OUTPUT_PX, augmentation=(RandomBackground(0.5), Mirror(0.5)))
    person = [(mask_of(index) > 0)[..., None] for index in range(5)]
    counts = np.zeros((2, 2), int)
    for index, example in images_of(training_batches(folder, "train", spec, 50, seed=0), 1_000):
        if SIZES_PX[index] != OUTPUT_PX:
            continue
        candidates = [image_of(index), image_of(index)[:, ::-1]]
        kept = [person[index], person[index][:, ::-1]]
        errors = [
            np.abs((example["image"] - image) * mask).max()
            for image, mask in zip(candidates, kept, strict=True)
        ]
        mirrored = int(np.argmin(errors))
        replaced = int(np.abs(example["image"] - candidates[mirrored]).max() > 1e-3)
        counts[mirrored, replaced] += 1
    np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=0.06)


@pytest.mark.parametrize("vocabulary", ["lip20", "regions4", "binary"])
def test_image_and_mask_are_mirrored_together(folder, vocabulary):
    spec = InputSpec(OUTPUT_PX, augmentation=(Mirror(0.5),), mask_vocabulary=vocabulary)
    plain, mirrored = class_tables("lip20", vocabulary)
    flips = 0
    for index, example in images_of(training_batches(folder, "train", spec, 4, seed=0), 100):
        image, mask, table = image_of(index), mask_of(index), plain
        if np.abs(example["image"] - resized(image)).max() > 1e-3:
            image, mask, table = image[:, ::-1], mask[:, ::-1], mirrored
            flips += 1
        np.testing.assert_allclose(example["image"], resized(image), atol=1e-3)
        assert example["mask"].dtype == np.int32
        assert example["mask"].shape == OUTPUT_PX
        if SIZES_PX[index] == OUTPUT_PX:
            np.testing.assert_array_equal(example["mask"], table[mask])
    assert 30 < flips < 70


def test_what_a_vocabulary_counts_to_the_background_is_replaced(make_folder):
    bag = VOCABULARIES["atr18"].index("bag")
    mask = np.array([[0, bag], [1, 17]], np.uint8)
    image = np.full((2, 2, 3), 200, np.uint8)
    folder = make_folder([image], [mask], [np.full((9, 9, 3), 40, np.uint8)], "atr18")
    spec = InputSpec((2, 2), variant="random_background")
    ((_, example),) = images_of(evaluation_batches(folder, "train", spec, 1, seed=0), 1)
    np.testing.assert_array_equal(example["image"][..., 0], [[40, 40], [200, 200]])


def test_mask_belongs_to_the_person_on_a_random_background(folder):
    spec = InputSpec(OUTPUT_PX, augmentation=(RandomBackground(1.0),), mask_vocabulary="binary")
    for index, example in images_of(training_batches(folder, "train", spec, 4, seed=0), 20):
        if SIZES_PX[index] != OUTPUT_PX:
            continue
        np.testing.assert_array_equal(
            example["mask"], np.take(lookup("lip20", "binary"), mask_of(index))
        )
        person = example["mask"] == 1
        np.testing.assert_array_equal(example["image"][person], image_of(index)[person])
        assert len(np.unique(example["image"][~person])) == 1
