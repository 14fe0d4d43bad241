"""SavedModels of several networks, small ones of different input sizes."""

import json

import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel, files

from tfreid.errors import UsageError
from tfreid.evaluation import Network
from tfreid.inputs import decode_image, resize_image
from tfreid.serving import ReidClient, ServedModel
from tfreid.serving.export import write_networks
from tfreid.serving.server import LocalServer

SIZES = ((8, 4), (12, 6))


@pytest.fixture(scope="module")
def networks():
    return [
        Network("small", LinearModel(SIZES[0]), SIZES[0]),
        Network("large", LinearModel(SIZES[1]), SIZES[1], flip_averaging=True),
    ]


@pytest.fixture(scope="module")
def base(networks, tmp_path_factory):
    base = tmp_path_factory.mktemp("combined")
    write_networks(networks, base / "1", files())
    return base


def unit(descriptors):
    return descriptors / np.linalg.norm(descriptors, axis=-1, keepdims=True)


def expected(networks, image):
    """The combined descriptor of one image of any size."""
    small, large = (resize_image(image, size)[None].numpy() for size in SIZES)
    one = unit(networks[0].model.embed(small).numpy())
    mirrored = networks[1].model.embed(large[:, :, ::-1]).numpy()
    two = unit(networks[1].model.embed(large).numpy() + mirrored)
    return np.concatenate([one, two], axis=1)[0] / np.sqrt(2)


def test_files_are_resized_for_each_network(networks, base):
    served = ServedModel(base / "1").embed_files(files())
    for file, descriptor in zip(files(), served, strict=True):
        np.testing.assert_allclose(descriptor, expected(networks, decode_image(file)), atol=1e-5)


def test_images_have_the_size_of_the_largest_network(networks, base):
    model = ServedModel(base / "1")
    assert model.image_size_px == SIZES[1]
    image = np.random.default_rng(0).uniform(0, 255, (*SIZES[1], 3)).astype("float32")
    (descriptor,) = model.embed(image[None])
    np.testing.assert_allclose(descriptor, expected(networks, image), atol=1e-5)


def test_maps_are_those_of_the_first_network(networks, base):
    image = np.random.default_rng(0).integers(0, 256, (1, *SIZES[1], 3)).astype("float32")
    maps = ServedModel(base / "1").explain(tf.constant(image))
    assert maps.keys() == {"activation", "red"}
    first = networks[0].model.explain(resize_image(image, SIZES[0]))
    np.testing.assert_allclose(maps["red"], first["red"], atol=1e-6)


def test_facts_say_what_is_inside(base):
    facts = json.loads((base / "1" / "assets.extra" / "serving.json").read_text())
    assert facts["combined"] == [
        {"name": "small", "image_size_px": [8, 4], "flip_averaging": False},
        {"name": "large", "image_size_px": [12, 6], "flip_averaging": True},
    ]
    outputs = facts["signatures"]["serving_default"]["outputs"]
    assert outputs == {"embedding": {"dtype": "float32", "shape": [None, 6]}}
    assert facts["signatures"]["embed_images"]["inputs"]["images"]["shape"] == [None, 12, 6, 3]


def test_the_server_answers_with_the_combined_descriptors(base):
    with LocalServer(base) as server, ReidClient(f"127.0.0.1:{server.port}") as client:
        found = client.embed(files())
    np.testing.assert_allclose(found, ServedModel(base / "1").embed_files(files()), atol=1e-6)


def test_each_model_must_give_a_descriptor(networks, tmp_path):
    other = Network("other", tf.keras.Sequential([tf.keras.layers.Dense(1)]), SIZES[0])
    with pytest.raises(UsageError, match="gives no descriptor"):
        write_networks([networks[0], other], tmp_path / "1", files())
    assert not list(tmp_path.iterdir())
