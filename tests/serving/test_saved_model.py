import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel, files

from tfreid.errors import DataError, MissingPathError
from tfreid.evaluation import Network
from tfreid.evaluation.descriptors import Batched, describe_split, embedder
from tfreid.inputs import InputSpec
from tfreid.serving import ServedModel, write_saved_model
from tfreid.serving.facts import read_facts

SIZE = (32, 16)


@pytest.fixture(scope="module")
def model():
    return LinearModel(SIZE)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "1"
    write_saved_model(model, SIZE, path, files(), facts={"threshold": {"distance": 0.25}})
    return path


@pytest.fixture(scope="module")
def served(exported):
    return ServedModel(exported)


def test_facts_come_along(served, exported):
    assert (served.path, served.image_size_px) == (exported, SIZE)
    assert served.facts["threshold"]["distance"] == 0.25


def test_files_and_images_give_the_same_descriptors(served):
    image = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3)).astype("float32")
    file = tf.io.encode_png(tf.cast(image[0], tf.uint8)).numpy()
    descriptors = served.embed_files([file, *files()])
    assert (descriptors.shape, descriptors.dtype) == ((4, 3), np.float32)
    np.testing.assert_allclose(served.embed(image), descriptors[:1], atol=1e-5)


def test_maps_are_the_models(served, model):
    images = tf.constant(np.random.default_rng(1).uniform(0, 255, (3, *SIZE, 3)), tf.float32)
    maps = served.explain(images)
    assert maps.keys() == {"activation", "red"}
    for name, expected in model.explain(images).items():
        # The signature takes files, whose pixels are whole numbers.
        np.testing.assert_allclose(maps[name], expected, atol=0.51 / 255, err_msg=name)


def test_it_is_measured_as_the_model_is(served, model, reid_folder):
    spec = InputSpec(image_size_px=SIZE)
    embedders = [embedder(Network("", one, SIZE), 5) for one in (served, model)]
    found, expected = (
        describe_split(embed, reid_folder, "query", spec).features for embed in embedders
    )
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    batches = list(Batched(served.explain, SIZE, 5).over(reid_folder, "query", spec))
    assert sum(len(maps["activation"]) for _, maps in batches) == 12


def test_folders_that_hold_something_else_are_refused(exported, tmp_path):
    with pytest.raises(MissingPathError, match="give the folder of one version"):
        ServedModel(exported.parent)
    tf.saved_model.save(tf.Module(), str(tmp_path / "other"))
    with pytest.raises(DataError, match=r"or not a model that python -m tfreid\.export wrote"):
        ServedModel(tmp_path / "other")
    shutil.copytree(exported, tmp_path / "damaged")
    (tmp_path / "damaged" / "saved_model.pb").write_bytes(b"no protocol buffer")
    with pytest.raises(DataError, match="is damaged"):
        ServedModel(tmp_path / "damaged")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_size_px", [32]),
        ("image_size_px", ["32", "16"]),
        ("matching", []),
        ("matching", {"beta": "0.01", "patches": []}),
        ("matching", {"beta": 0.01}),
        ("threshold", 0.5),
    ],
)
def test_facts_of_another_type_are_named(exported, tmp_path, field, value):
    path = tmp_path / "serving.json"
    values, known = read_facts(exported / "assets.extra" / "serving.json")
    assert known.image_size_px == SIZE
    path.write_text(json.dumps(values | {field: value, "added": "by a later release"}))
    with pytest.raises(DataError, match=rf"serving\.json is damaged: {field}"):
        read_facts(path)
