import json

import numpy as np
import pytest
from toy_models import SIZE_PX, PersonModel, SceneryModel

from tests.measured import RecordingProgress
from tfreid.evaluation import Measurement, Network, audit, evaluation_sets, images_to_see
from tfreid.evaluation.occlusion import occlude, views
from tfreid.retrieval import cosine_distances

MEASUREMENT = Measurement(("original",), batch_size=8, occluded_images=3)


class Blind:
    """Gives descriptors and cannot explain them."""

    def __init__(self, model):
        self._model = model

    def embed(self, images):
        return self._model.embed(images)


@pytest.fixture(scope="module")
def tested(reid_folder):
    (tested,) = evaluation_sets(reid_folder)
    return tested


def network(model):
    return Network("toy", Blind(model()), SIZE_PX)


def test_it_tells_who_looks_at_the_person(tested):
    queries = np.arange(6)
    person = occlude(network(PersonModel), tested, queries, 16)
    scenery = occlude(network(SceneryModel), tested, queries, 16)
    assert person.means.images == scenery.means.images == 6
    assert person.means.inside > 3 * person.means.outside > 0
    assert scenery.means.inside < scenery.means.outside / 3
    # The left edge is all that this model sees: two cells of two pixels, by the patch of four.
    assert scenery.maps.shape == (6, 16, 8)
    assert (scenery.maps[:, :, :2].mean(axis=(1, 2)) > 0).all()
    np.testing.assert_allclose(scenery.maps[:, :, 2:], 0, atol=1e-6)


def test_maps_are_means_over_the_patches_that_cover_a_cell(tested, reid_folder):
    found = occlude(network(PersonModel), tested, np.array([4]), 16)
    image = found.images[0].astype(np.float32)
    model, pixel = PersonModel(), np.float32(reid_folder.info.mean_pixel)
    whole = model.embed(image[None]).numpy()
    row, column, changes = 6, 3, []
    for top in (2 * (row - 1), 2 * row):
        for left in (2 * (column - 1), 2 * column):
            covered = image.copy()
            covered[top : top + 4, left : left + 4] = pixel
            changes.append(cosine_distances(whole, model.embed(covered[None]).numpy())[0, 0])
    assert found.maps[0, row, column] == pytest.approx(np.mean(changes), abs=2e-3)
    assert found.patch_px == (4, 4)


@pytest.mark.parametrize("size_px", [(32, 16), (47, 19), (8, 4), (1, 1), (16, 64)])
def test_every_cell_is_covered(size_px):
    from tfreid.evaluation.occlusion import _by_cell, _corners

    corners, cell_px = _corners(size_px)
    maps = _by_cell(np.ones(len(corners)), corners, cell_px, size_px)
    np.testing.assert_array_equal(maps, 1)
    assert views(size_px) == 1 + len(corners)
    assert views((256, 128)) == 1 + 15 * 7


def test_audit_of_a_model_that_cannot_explain(tested):
    progress = RecordingProgress()
    result = audit([network(PersonModel)], tested, MEASUREMENT, progress)
    assert result.explanations == {}
    assert len(result.occlusion.images) == 3
    figures = json.loads(json.dumps(result.metrics()))["occlusion"]
    assert figures["inside"] > figures["outside"]
    assert figures["images"] == 3
    assert progress.done == images_to_see([network(PersonModel)], tested, MEASUREMENT)


def test_audit_shows_the_queries_that_are_explained(tested, person):
    result = audit(person, tested, MEASUREMENT)
    np.testing.assert_array_equal(
        result.occlusion.images, result.explanations["original"].images[:3]
    )


def test_without_masks_there_are_maps_alone(folder_without_masks, person):
    (tested,) = evaluation_sets(folder_without_masks)
    result = audit(person, tested, MEASUREMENT)
    assert result.occlusion.means is None
    assert result.metrics()["occlusion"]["inside"] is None
