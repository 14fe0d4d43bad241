"""SavedModels of a model that is matched by reconstruction."""

import json

import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel, PositionModel, files

from tfreid.errors import DataError, UsageError
from tfreid.evaluation import DescribedNetwork, Measurement, Network, audit, evaluation_sets
from tfreid.retrieval import reconstruction_distance
from tfreid.serving import ReidClient, ServedModel, export
from tfreid.serving.embedding import describe_with_beam
from tfreid.serving.export import write_networks
from tfreid.serving.server import LocalServer

SIZE = (8, 4)
OUTPUTS = {"embedding": (3, 3), "positions": (3, 8, 12), "foreground": (3, 8)}


class Restless(PositionModel):
    """Weighs the positions otherwise each time."""

    def embed(self, images):
        outputs = super().embed(images)
        noise = tf.random.uniform(tf.shape(outputs["foreground"]))
        return outputs | {"foreground": outputs["foreground"] + noise}


@pytest.fixture(scope="module")
def model():
    return PositionModel()


@pytest.fixture(scope="module")
def base(model, tmp_path_factory):
    base = tmp_path_factory.mktemp("export")
    export(model, SIZE, base, files())
    return base


def test_the_server_gives_all_that_matching_takes(model, base):
    with LocalServer(base) as server, ReidClient(f"127.0.0.1:{server.port}") as client:
        found = client.describe(files())
        assert {name: values.shape for name, values in found.items()} == OUTPUTS
        np.testing.assert_array_equal(client.embed(files()), found["embedding"])
        maps = client.explain(files())
    assert maps.keys() == {"embedding", "activation", "foreground"}
    assert maps["foreground"].shape == (3, *SIZE)
    bitmap = tf.io.decode_bmp(files()[2])[None]
    expected = model.embed(tf.cast(bitmap, tf.float32))
    np.testing.assert_allclose(found["positions"][2], expected["positions"][0], atol=1e-6)
    np.testing.assert_allclose(found["foreground"].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found["embedding"], axis=1), 1, atol=1e-5)
    facts = ServedModel(base / "1").facts
    probe, other = found["positions"][:2]
    distance = reconstruction_distance(
        probe, found["foreground"][0], other, facts["matching"]["beta"]
    )
    assert 0 < distance < 1


def test_facts_say_how_positions_are_compared(base):
    facts = json.loads((base / "1" / "assets.extra" / "serving.json").read_text())
    assert facts["distance"] == "cosine"  # of `embedding`
    patches = facts["matching"].pop("patches")
    assert facts["matching"] == {
        "distance": "reconstruction",
        "beta": 0.02,
        "features": "positions",
        "weights": "foreground",
    }
    assert (len(patches), patches[1]) == (8, [1, 0, 2, 4])
    for name in ("serving_default", "embed_images"):
        outputs = facts["signatures"][name]["outputs"]
        assert {n: (3, *o["shape"][1:]) for n, o in outputs.items()} == OUTPUTS


def test_a_served_model_embeds_as_the_model_does(model, base):
    served = ServedModel(base / "1")
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, (2, *SIZE, 3)), tf.float32)
    found, expected = served.embed(images), model.embed(images)
    assert (served.beta, found.keys()) == (0.02, expected.keys())
    np.testing.assert_allclose(found["positions"], expected["positions"], atol=1e-6)
    np.testing.assert_array_equal(served.patches(SIZE), model.patches(SIZE))
    assert Network("served", served, SIZE).has_positions


def test_beam_workers_give_the_pooled_descriptors(base, reid_folder):
    served, (tested,) = ServedModel(base / "1"), evaluation_sets(reid_folder)
    described = describe_with_beam(served.path, reid_folder.path, ("original",), batch_size=8)
    network = DescribedNetwork("served", served, SIZE, descriptors=described)
    result = audit([network], tested, Measurement(("original",)))
    assert result.metrics()["matching"] == {"mode": "pooled"}


def test_every_output_is_checked(tmp_path):
    with pytest.raises(DataError, match=r"foreground \(serving_default\) differs"):
        export(Restless(), SIZE, tmp_path, files())


def test_positions_are_not_averaged_with_the_mirror_image(model, tmp_path):
    with pytest.raises(UsageError, match="leave flip_averaging out"):
        export(model, SIZE, tmp_path, files(), flip_averaging=True)


def test_combinations_serve_descriptors_alone(model, tmp_path):
    networks = [Network("a", model, SIZE), Network("b", LinearModel(SIZE), SIZE)]
    write_networks(networks, tmp_path / "1", files())
    served = ServedModel(tmp_path / "1")
    assert served.describe_files(files()).keys() == {"embedding"}
    assert served.facts["combined"][0]["descriptor"] == "pooled"
    assert "matching" not in served.facts
