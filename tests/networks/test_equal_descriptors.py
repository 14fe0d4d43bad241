"""The same model in every format gives the same descriptors."""

import dataclasses

import numpy as np
import pytest

from tests.networks.describing import descriptors
from tfreid.networks import callable_network, open_network
from tfreid.retrieval.distances import normalise

pytestmark = pytest.mark.slow

TOLERANCE = 1e-5
"""Largest difference of a value of descriptors of unit length."""


@pytest.fixture(scope="module")
def expected(dgd_run, images):
    return described(open_network(dgd_run), images)


def described(network, images):
    """Descriptors of unit length."""
    found = descriptors(network, images)
    assert found.dtype == np.float32
    return normalise(found)


@pytest.mark.parametrize("file", ["onnx_file", "saved_model", "tflite_file", "served"])
def test_a_file_or_a_server_gives_the_descriptors_of_the_run(file, request, images, expected):
    network = open_network(request.getfixturevalue(file))
    np.testing.assert_allclose(described(network, images), expected, atol=TOLERANCE)
    assert network.image_size_px == (32, 16)
    assert network.output_shapes == {"embedding": (expected.shape[1],)}
    assert not network.can_explain


def test_an_export_gives_the_descriptors_of_the_run(dgd_run, images, expected):
    for path in (dgd_run / "export" / "1", dgd_run / "export"):
        network = open_network(path)
        np.testing.assert_allclose(described(network, images), expected, atol=TOLERANCE)
        assert network.can_explain


def test_a_function_gives_the_descriptors_of_the_run(embed, images, expected):
    in_graph = callable_network(embed, (32, 16))
    assert in_graph.in_graph
    np.testing.assert_allclose(described(in_graph, images), expected, atol=TOLERANCE)
    eager = callable_network(lambda arrays: embed(arrays).numpy(), (32, 16))
    assert not eager.in_graph
    np.testing.assert_allclose(described(eager, images), expected, atol=TOLERANCE)


@pytest.mark.parametrize("file", ["onnx_file", "tflite_file"])
def test_mirror_images_are_averaged_outside_of_tensorflow_too(file, request, images):
    network = open_network(request.getfixturevalue(file))
    both = [network.outputs(part)["embedding"] for part in (images, images[:, :, ::-1])]
    averaged = described(dataclasses.replace(network, flip_averaging=True), images)
    np.testing.assert_allclose(averaged, normalise(np.mean(both, axis=0)), atol=TOLERANCE)
