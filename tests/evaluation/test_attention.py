import numpy as np
import pytest
from toy_models import SIZE_PX, PersonModel, SceneryModel

from tfreid.evaluation.attention import auc_by_person, explain, means_by_person, shares_on_person
from tfreid.evaluation.descriptors import Batched
from tfreid.inputs import InputSpec


def explained(model, batch_size, *arguments):
    return explain(Batched(model.explain, SIZE_PX, batch_size), *arguments)


def test_shares_equal_their_definition():
    random = np.random.default_rng(0)
    activation = random.random((3, 4, 2)).astype(np.float32)
    mask = random.integers(0, 3, (3, 16, 8))
    on_person, area = shares_on_person(activation, mask)
    enlarged = activation.repeat(4, axis=1).repeat(4, axis=2).astype(np.float64)
    expected = (enlarged * (mask > 0)).sum(axis=(1, 2)) / enlarged.sum(axis=(1, 2))
    np.testing.assert_allclose(on_person, expected, rtol=1e-5)
    np.testing.assert_allclose(area, (mask > 0).mean(axis=(1, 2)), rtol=1e-5)


def test_even_map_has_the_share_of_the_area():
    mask = np.zeros((1, 10, 6), int)
    mask[:, 2:7, 1:4] = 1
    on_person, area = shares_on_person(np.ones((1, 3, 4), np.float32), mask)
    assert on_person == pytest.approx(area, rel=1e-5)
    assert area == pytest.approx(15 / 60, rel=1e-5)


def test_map_of_zeros_has_no_share():
    on_person, _ = shares_on_person(np.zeros((1, 2, 2), np.float32), np.ones((1, 4, 4), int))
    assert np.isnan(on_person)


def test_model_that_sees_the_person_is_told_from_one_that_sees_the_scenery(reid_folder):
    spec = InputSpec(image_size_px=SIZE_PX, mask_vocabulary="binary")
    shown = np.array([7, 2])
    person, scenery = (
        explained(model(), 5, reid_folder, "query", spec, shown)
        for model in (PersonModel, SceneryModel)
    )
    assert person.on_person > 0.9 > 0.5 > person.person_area
    assert scenery.on_person < 0.05
    assert person.means["activation"].contrast > 0.3 > 0 > scenery.means["activation"].contrast
    assert person.means["activation"].auc > 0.6 > 0.5 > scenery.means["activation"].auc
    assert person.means["half"].contrast == pytest.approx(0, abs=1e-6)
    assert person.means["half"].auc == 0.5
    assert person.means["half"].images == 12
    assert person.images.shape == (2, *SIZE_PX, 3)
    assert person.maps["activation"].shape == (2, *SIZE_PX)
    assert person.maps["half"].shape == (2, 4, 2)


def test_shown_images_are_those_asked_for(reid_folder):
    spec = InputSpec(image_size_px=SIZE_PX)
    every = explained(PersonModel(), 12, reid_folder, "query", spec, np.arange(12))
    some = explained(PersonModel(), 5, reid_folder, "query", spec, np.array([11, 0]))
    np.testing.assert_array_equal(some.images, every.images[[11, 0]])
    assert every.on_person is None
    assert every.means == {}


def test_means_by_person_equal_their_definition():
    random = np.random.default_rng(1)
    values = random.random((3, 4, 2)).astype(np.float32)
    mask = random.integers(0, 3, (3, 16, 8))
    enlarged = values.repeat(4, axis=1).repeat(4, axis=2).astype(np.float64)
    expected = [
        [image[part].mean() for image, part in zip(enlarged, parts, strict=True)]
        for parts in (mask > 0, mask == 0)
    ]
    np.testing.assert_allclose(means_by_person(values, mask), expected, rtol=1e-5)


def pairs_won(values, mask):
    """Of all pairs of a pixel of the person and one of the rest, the share that the first wins."""
    won = []
    for image, person in zip(values, mask > 0, strict=True):
        pixels = image.repeat(4, axis=0).repeat(4, axis=1).astype(np.float64)
        apart = pixels[person][:, None] - pixels[~person][None]
        won.append(((apart > 0) + 0.5 * (apart == 0)).mean())
    return won


def test_auc_equals_its_definition_over_pixels_with_ties():
    random = np.random.default_rng(2)
    values = random.integers(0, 4, (5, 4, 2)).astype(np.float32) / 3
    mask = random.integers(0, 3, (5, 16, 8))
    np.testing.assert_allclose(auc_by_person(values, mask), pairs_won(values, mask), rtol=1e-6)


def test_auc_does_not_depend_on_the_level_of_a_map():
    random = np.random.default_rng(3)
    logits, mask = random.normal(size=(3, 4, 2)), random.integers(0, 2, (3, 16, 8))
    high, low = (1 / (1 + np.exp(-(logits * s + t))) for s, t in ((2.0, 3.0), (0.1, -3.0)))
    np.testing.assert_array_equal(auc_by_person(high, mask), auc_by_person(low, mask))
    assert np.abs(means_by_person(high, mask) - means_by_person(low, mask)).min() > 0.5


def test_mask_that_is_empty_or_full_has_nothing_to_compare():
    mask = np.zeros((3, 6, 4), int)
    mask[1] = 1
    mask[2, :, :2] = 1
    means = means_by_person(np.ones((3, 3, 4), np.float32), mask)
    np.testing.assert_allclose(means, [[np.nan, np.nan, 1], [np.nan, np.nan, 1]])
    auc = auc_by_person(np.ones((3, 3, 4), np.float32), mask)
    np.testing.assert_array_equal(auc, [np.nan, np.nan, 0.5])


def test_contrast_is_averaged_over_the_images_that_have_one():
    """Four images of which one has no mask; the map is 0.75 in its left half, else 0.25."""
    mask = np.zeros((4, 4, 4), np.int32)
    mask[0, :, :2] = 1
    mask[1, :, 1:] = 1
    mask[3, :2] = 1
    values = np.full((4, 2, 2), 0.25, np.float32)
    values[..., 0] = 0.75
    batch = {"image": np.zeros((4, 4, 4, 3), np.float32), "mask": mask}

    class Explainer:
        def over(self, *arguments):
            for part in (slice(0, 3), slice(3, 4)):
                yield {name: v[part] for name, v in batch.items()}, {"activation": values[part]}

    spec = InputSpec(image_size_px=(4, 4), mask_vocabulary="binary")
    explanation = explain(Explainer(), None, "query", spec, np.array([0]))
    inside, outside = (0.75 + 1.25 / 3 + 0.5) / 3, (0.25 + 0.75 + 0.5) / 3
    # Of the pixels of the second person, a third lie in the stronger half, of the rest all do.
    expected = {"inside": inside, "outside": outside, "images": 3, "contrast": inside - outside}
    expected["auc"] = (1 + 1 / 3 / 2 + 0.5) / 3
    assert explanation.metrics()["maps"]["activation"] == pytest.approx(expected)
