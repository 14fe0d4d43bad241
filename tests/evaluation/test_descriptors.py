import numpy as np
import pytest
from toy_models import SIZE_PX, BlindModel, BrokenModel, LeftModel, PersonModel

from tfreid.errors import TrainingError
from tfreid.evaluation import Network, descriptors
from tfreid.evaluation.describer import Describer
from tfreid.evaluation.descriptors import describe_split, embedder
from tfreid.inputs import InputSpec, evaluation_batches

SPEC = InputSpec(image_size_px=SIZE_PX)


@pytest.fixture(scope="module")
def model():
    return PersonModel()


def embed(model, batch_size, flip_averaging=False):
    return embedder(Network("toy", model, SIZE_PX, flip_averaging), batch_size)


def test_every_image_is_described_once_in_order(model, reid_folder):
    described = describe_split(embed(model, 5), reid_folder, "gallery", SPEC)
    columns = reid_folder.store("gallery").columns(("person/id", "camera/id", "image/key"))
    np.testing.assert_array_equal(described.identities.person, columns["person/id"])
    np.testing.assert_array_equal(described.identities.camera, columns["camera/id"])
    assert described.keys.tolist() == [key.decode() for key in columns["image/key"]]
    (batch,) = evaluation_batches(reid_folder, "gallery", SPEC, len(columns["image/key"]), 0)
    np.testing.assert_allclose(described.features, model.embed(batch["image"]), rtol=1e-5)


@pytest.mark.parametrize("variant", ["original", "random_background"])
def test_batch_size_does_not_matter(model, reid_folder, variant):
    spec = InputSpec(image_size_px=SIZE_PX, variant=variant)
    whole = describe_split(embed(model, 64), reid_folder, "query", spec)
    parts = describe_split(embed(model, 5), reid_folder, "query", spec)
    np.testing.assert_allclose(whole.features, parts.features, rtol=1e-5, atol=1e-5)


def test_flip_averaging_is_the_mean_with_the_mirror_image(reid_folder):
    model = LeftModel()
    flipping = embed(model, 8, flip_averaging=True)
    averaged = describe_split(flipping, reid_folder, "query", SPEC).features
    (batch,) = evaluation_batches(reid_folder, "query", SPEC, len(averaged), 0)
    images = batch["image"].numpy()
    expected = (model.embed(images).numpy() + model.embed(images[:, :, ::-1]).numpy()) / 2
    np.testing.assert_allclose(averaged, expected, rtol=1e-4, atol=1e-4)


def test_progress_counts_images(model, reid_folder):
    seen = []
    describe_split(embed(model, 5), reid_folder, "query", SPEC, advance=seen.append)
    assert seen == [5, 5, 2]


def test_descriptors_that_are_no_numbers_are_refused(reid_folder):
    with pytest.raises(TrainingError, match=r"market1501/query.* not finite.*11 other"):
        describe_split(embed(BrokenModel(), 8), reid_folder, "query", SPEC)


def test_a_descriptor_of_zeros_is_refused_where_the_person_is_there(reid_folder):
    describer = Describer([Network("toy", BlindModel(zeros=True), SIZE_PX)], 64)
    said = r"market1501/query\S* is all zeros.*and so are those of 3 other images: look whether"
    with pytest.raises(TrainingError, match=said):
        describer.describe(reid_folder, "query")
    assert len(describer.describe(reid_folder, "query", "background_only").features) == 12


def test_few_descriptors_of_zeros_are_counted(reid_folder, monkeypatch):
    monkeypatch.setattr(descriptors, "MOST_BLANK", 1 / 12)
    describer = Describer([Network("toy", BlindModel(zeros=True, every=12), SIZE_PX)], 64)
    assert describer.describe(reid_folder, "query").blank == 1
    monkeypatch.setattr(descriptors, "MOST_BLANK", 1 / 13)
    with pytest.raises(TrainingError, match=r"is all zeros, near to nothing: look whether"):
        describer.describe(reid_folder, "query")


def test_one_descriptor_for_all_images_is_refused(reid_folder):
    describer = Describer([Network("toy", BlindModel(zeros=False), SIZE_PX)], 8)
    with pytest.raises(TrainingError, match="toy gives all 12 images of query the same descriptor"):
        describer.describe(reid_folder, "query")
    describer.describe(reid_folder, "query", "background_only")
