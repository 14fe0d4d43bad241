import io
import json
import os
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel, encoded, files
from PIL import Image
from tensorflow.python.saved_model import loader_impl

from tfreid.errors import DataError, UsageError
from tfreid.serving import export, write_saved_model
from tfreid.serving.export import next_version

SIZE = (8, 4)


class Unrepeatable(LinearModel):
    """Gives other descriptors each time."""

    def embed(self, images):
        return super().embed(images) + tf.random.normal((3,), stddev=1000.0)


class Restless(LinearModel):
    """Looks elsewhere each time."""

    def explain(self, images):
        maps = super().explain(images)
        return maps | {"red": maps["red"] + tf.random.uniform(())}


@pytest.fixture(scope="module")
def model():
    return LinearModel()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export(model, SIZE, tmp_path_factory.mktemp("export"), files())


@pytest.fixture(scope="module")
def signatures(exported):
    loaded = tf.saved_model.load(str(exported))
    return loaded.signatures


def pixels(file):
    return np.asarray(Image.open(io.BytesIO(file)), "float32")[None]


def unit(descriptors):
    return descriptors / np.linalg.norm(descriptors, axis=-1, keepdims=True)


def test_signatures_give_unit_descriptors_of_files_of_any_size(model, signatures):
    served = signatures["serving_default"](image_bytes=tf.constant(files()))["embedding"]
    assert served.shape == (3, 3)
    np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1, rtol=1e-5)
    bitmap = pixels(files()[2])
    direct = signatures["embed_images"](images=tf.constant(bitmap))["embedding"]
    np.testing.assert_allclose(served[2], direct[0], atol=1e-6)
    np.testing.assert_allclose(direct, unit(model.embed(bitmap)), atol=1e-5)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (300, 5), (64, 64)])
def test_a_file_is_resized_as_in_training(model, signatures, kind, size):
    file = encoded(size, kind, 3)
    served = signatures["serving_default"](image_bytes=tf.constant([file]))["embedding"]
    decoded = tf.io.decode_jpeg(file) if kind == "JPEG" else tf.io.decode_png(file)
    resized = tf.image.resize(decoded[None], SIZE)
    np.testing.assert_allclose(served, unit(model.embed(resized)), atol=1e-5)


def test_the_batch_may_have_any_size(signatures):
    for function in signatures.values():
        for spec in (*function.structured_input_signature[1].values(), *function.outputs):
            assert spec.shape[0] is None
    for count in (1, 2, 5):
        images = tf.constant(files()[:1] * count)
        assert all(len(v) == count for v in signatures["explain"](image_bytes=images).values())


def test_what_decodes_files_is_stored_once(exported):
    """It is the largest part of the graphs, and two signatures take files."""
    (graph,) = loader_impl.parse_saved_model(str(exported)).meta_graphs
    operations = Counter(node.op for f in graph.graph_def.library.function for node in f.node_def)
    assert operations["ExtractJpegShape"] == 1


def test_explain_gives_the_models_maps_beside_the_embedding(model, signatures):
    bitmap = files()[2]
    outputs = signatures["explain"](image_bytes=tf.constant([bitmap]))
    assert outputs.keys() == {"embedding", "activation", "red"}
    for name, expected in model.explain(tf.constant(pixels(bitmap))).items():
        assert outputs[name].dtype == tf.float32
        np.testing.assert_allclose(outputs[name], expected, atol=1e-6, err_msg=name)
    served = signatures["serving_default"](image_bytes=tf.constant([bitmap]))
    np.testing.assert_allclose(outputs["embedding"], served["embedding"], atol=1e-6)


def test_flip_averaging_is_inside_the_graph(model, tmp_path):
    write_saved_model(model, SIZE, tmp_path / "flipping", files(), flip_averaging=True)
    loaded = tf.saved_model.load(str(tmp_path / "flipping"))
    bitmap = files()[2]
    images = pixels(bitmap)
    average = (model.embed(images).numpy() + model.embed(images[:, :, ::-1]).numpy()) / 2
    for name, values in (("serving_default", [bitmap]), ("embed_images", images)):
        served = loaded.signatures[name](tf.constant(values))["embedding"]
        np.testing.assert_allclose(served, unit(average), atol=1e-5)


def test_facts_say_what_goes_in_and_out(exported):
    facts = json.loads((exported / "assets.extra" / "serving.json").read_text())
    assert facts["signatures"]["serving_default"] == {
        "inputs": {"image_bytes": {"dtype": "string", "shape": [None]}},
        "outputs": {"embedding": {"dtype": "float32", "shape": [None, 3]}},
    }
    images = facts["signatures"]["embed_images"]["inputs"]["images"]
    assert images == {"dtype": "float32", "shape": [None, *SIZE, 3]}
    maps = facts["signatures"]["explain"]["outputs"]
    assert maps["red"] == {"dtype": "float32", "shape": [None, *SIZE]}
    assert (facts["image_size_px"], facts["flip_averaging"]) == ([*SIZE], False)
    assert (facts["distance"], set(facts["preprocessing"])) == (
        "cosine",
        {"decoding", "orientation", "resizing", "normalising"},
    )


def test_versions_count_upwards(model, tmp_path):
    (tmp_path / "9").mkdir()
    assert export(model, SIZE, tmp_path, files()).name == "10"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["10", "9"]
    assert next_version(tmp_path).name == "11"


def test_the_next_version_is_one_that_servers_take(tmp_path):
    for name in ("9", "²", "best", str(2**63), f"{10**30}"):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == tmp_path / "10"
    (tmp_path / str(2**63 - 1)).mkdir()
    with pytest.raises(UsageError, match="leaves no number for the next version"):
        next_version(tmp_path)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(Unrepeatable, r"embedding \(serving_default\) differs"), (Restless, r"red \(explain\)")],
)
def test_a_model_that_computes_something_else_is_not_written(kind, text, tmp_path):
    with pytest.raises(DataError, match=text):
        export(kind(), SIZE, tmp_path, files())
    assert not list(tmp_path.iterdir())


def test_a_model_without_descriptor_is_refused(tmp_path):
    with pytest.raises(UsageError, match="gives no descriptor"):
        export(keras.Sequential([keras.layers.Dense(1)]), SIZE, tmp_path, files())


def test_nothing_is_overwritten(model, exported):
    before = sorted(exported.rglob("*"))
    with pytest.raises(UsageError, match="exists: remove it, or choose another folder"):
        write_saved_model(model, SIZE, exported, files())
    assert sorted(exported.rglob("*")) == before


def test_a_version_appears_whole(model, tmp_path, monkeypatch):
    moved, replace = [], os.replace

    def replace_but_a_version(partial, path):
        if path.parent != tmp_path:
            return replace(partial, path)
        moved.append(sorted(os.listdir(partial)))
        assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replace_but_a_version)
    with pytest.raises(KeyboardInterrupt):
        export(model, SIZE, tmp_path, files())
    assert {"saved_model.pb", "variables", "assets.extra"} <= set(moved[0])
    assert not list(tmp_path.iterdir())
