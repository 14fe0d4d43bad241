"""The classic mistakes are found, and what is right is left in peace."""

import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.networks.small_onnx import mean_colours
from tests.toy_models import SIZE_PX, BrokenModel, PersonModel
from tfreid.errors import DataError
from tfreid.evaluation import Network
from tfreid.networks import PRESETS, callable_network, diagnose, diagnosis, open_network

PERSONS = np.repeat(np.arange(1, 9), 4)


def pictures(noise=20):
    """Eight persons of 4x2 large cells, four times each, as uint8 `[32, 32, 16, 3]`."""
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 256, (8, 4, 2, 3)).repeat(4, axis=0)
    seen = np.clip(cells + rng.normal(0, noise, cells.shape), 0, 255)
    return seen.repeat(8, axis=1).repeat(8, axis=2).astype("uint8")


def smooth():
    """Twenty-four other pictures, whose pixels change a little when they are cut closer."""
    coarse = np.random.default_rng(0).integers(0, 256, (24, 5, 3, 3), np.uint8)
    fine = [
        Image.fromarray(each).resize(SIZE_PX[::-1], Image.Resampling.BICUBIC) for each in coarse
    ]
    return np.stack([np.asarray(each) for each in fine])


IMAGES = pictures()
BOTH = pytest.mark.parametrize(("images", "persons"), [(IMAGES, PERSONS), (smooth(), None)])


def cells(images):
    return images[:, 4::8, 4::8].reshape(len(images), -1)


def of(function, preset=None):
    presentation = None if preset is None else PRESETS[preset]
    return callable_network(function, SIZE_PX, name="theirs", presentation=presentation)


def waves(images):
    """Tells pixels of 0 to 1 apart, in rows; larger ones go round and round."""
    rows = images[:, 4::8, 4::8]
    found = np.concatenate([np.cos(2 * rows), np.sin(2 * rows)], axis=-1).mean(axis=2)
    return found.reshape(len(images), -1)


def by_itself(images):
    """Normalises by itself, in steps that are too coarse for what was normalised before."""
    rows = images[:, 4::8, 4::8].mean(axis=2).reshape(len(images), -1)
    return np.round((rows - 128) / 3) / 20


def red(images):
    return np.tanh((cells(images)[:, ::3] - 128) / 64)


@BOTH
@pytest.mark.parametrize(
    ("function", "preset"), [(waves, "0..1"), (by_itself, "0..255"), (by_itself, "fast-reid")]
)
def test_what_is_right_is_left_in_peace(function, preset, images, persons):
    assert diagnose(of(function, preset), images, persons) == []


@BOTH
def test_a_wrong_range_is_named_with_what_fits_better(images, persons):
    (warning,) = diagnose(of(waves), images, persons)
    assert warning.startswith("theirs: wrong range? It is given images as RGB, 0 to 255; as RGB, ")
    assert re.search(r"\(0\.\.1\) it confuses 0\.[01]% instead of 4\d\.\d% of pairs", warning)
    assert ("of one person" in warning) == (persons is not None)
    assert f"of {len(images)} images (presentation)" in warning


@pytest.mark.parametrize(
    ("own", "other", "named"),
    [(0.3, 0.19, True), (0.3, 0.21, False), (0.012, 0.004, False), (0.0, 0.0, False)],
)
def test_only_what_fits_far_better_is_named(own, other, named):
    network = of(red)
    confused = {PRESETS["0..255"]: own, PRESETS["openvino"]: other}
    found = diagnosis._of_presentation(
        network,
        lambda way: next((e for p, e in confused.items() if p.same_pixels_as(way)), 0.5),
        count=64,
        by_persons=True,
    )
    assert len(list(found)) == named


def test_images_that_are_normalised_twice_are_named():
    warnings = diagnose(of(by_itself, "torchreid"), IMAGES, PERSONS)
    assert "theirs: normalised twice? It is given images as RGB, 0 to 1, less" in warnings[-1]
    assert "as RGB, 0 to 255 (0..255) it confuses" in warnings[-1]
    assert any("nearly the same (mean cosine" in warning for warning in warnings)
    assert any("a model that normalises by itself takes them as" in text for text in warnings)


def test_the_wrong_order_of_colours_is_named():
    noisy = IMAGES.copy()
    noisy[..., 2] = np.random.default_rng(1).integers(0, 256, noisy.shape[:3])
    assert diagnose(of(red), noisy, PERSONS) == []
    (warning,) = diagnose(of(red, "openvino"), noisy, PERSONS)
    assert "wrong order of colours? It is given images as BGR, 0 to 255; as RGB" in warning


def test_the_other_order_of_colours_is_tried_with_the_mean_that_is_given():
    noisy = IMAGES.copy()
    noisy[..., 1:] = np.random.default_rng(1).integers(0, 256, (*noisy.shape[:3], 2))
    network = of(lambda images: np.tanh(cells(images)[:, 2::3]), "torchreid")
    (warning,) = diagnose(network, noisy, list(PERSONS))
    assert "as BGR, 0 to 1, less 0.406 0.456 0.485, divided by 0.225" in warning
    assert "(colours=bgr)" in warning


def test_class_scores_are_named_and_their_number_is_a_hint():
    def scores(images):
        return tf.nn.softmax(cells(images) / 40).numpy()

    warnings = diagnose(of(scores), IMAGES)
    assert "the 24 values of each image sum to 1, as class scores do" in warnings[0]
    assert "(output)" in warnings[0]
    weights = np.random.default_rng(0).normal(size=(24, 751))
    warnings = diagnose(of(lambda images: (cells(images) - 128) @ weights), IMAGES)
    assert "751 values, as many as Market-1501 has persons for training: if these" in warnings[0]


def test_dead_values_are_counted():
    def mostly_dead(images):
        return np.concatenate([cells(images) - 128, np.zeros((len(images), 48))], axis=1)

    (warning,) = diagnose(of(mostly_dead), IMAGES)
    assert warning == "theirs: 67% of the 72 values are the same for every image"


def test_a_fixed_batch_is_named(tmp_path):
    network = open_network(mean_colours(tmp_path / "m.onnx", shape=(1, 3, 8, 4)))
    assert any("m.onnx takes 1 image at a time" in text for text in diagnose(network, IMAGES))


def test_the_same_descriptor_for_all_and_no_numbers_are_errors():
    with pytest.raises(DataError, match=r"gives every image the same descriptor \(32 images"):
        diagnose(of(lambda images: np.ones((len(images), 5))), IMAGES)
    with pytest.raises(DataError, match=r"the same descriptor.*it was given images as RGB, 0 to 2"):
        diagnose(of(lambda images: np.clip(cells(images) * 0 + 3, 0, 1)), IMAGES)
    with pytest.raises(
        DataError, match=r"images as RGB, 0 to 1 \(presentation\); as 0\.\.255, .* it tells them"
    ):
        diagnose(of(lambda images: np.round(cells(images) / 64), "0..1"), IMAGES)
    with pytest.raises(DataError, match="toy: the descriptors of 32 of 32 images are not finite"):
        diagnose(Network("toy", BrokenModel(), SIZE_PX), IMAGES)


def test_our_own_networks_are_looked_at_without_other_presentations():
    assert diagnose(Network("toy", PersonModel(), SIZE_PX), IMAGES, PERSONS) == []


def test_at_most_so_many_images_are_looked_at_and_nobody_is_no_person():
    seen = []

    def function(images):
        seen.append(len(images))
        return cells(images)

    many = np.concatenate([IMAGES] * 5)
    diagnose(of(function), many)
    assert max(np.cumsum(seen)) <= 2 + 64 + 64 * 2 * 6
    persons = np.concatenate([PERSONS, -np.ones(len(many) - 32, int)])
    warning = diagnose(of(waves), many, persons)
    assert "of 32 images" in warning[0]


def test_too_few_pairs_of_persons_count_as_none():
    images = smooth()
    (warning,) = diagnose(of(waves), images, np.arange(len(images)) // 2 + 1)
    assert "pairs of one image and of two, of 24 images" in warning
    (warning,) = diagnose(of(waves), images, np.ones(len(images), int))
    assert "pairs of one image and of two, of 24 images" in warning


def test_one_image_alone_is_enough_to_see_what_it_shows():
    assert diagnose(of(by_itself), IMAGES[:1]) == []
    assert diagnose(of(by_itself), IMAGES[:1], PERSONS[:1]) == []
