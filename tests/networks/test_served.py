"""Models on a server: the address, what is asked, and what is said when nobody answers."""

import numpy as np
import pytest

from tests.networks.describing import descriptors
from tests.serving.colour_model import SIZE, write_version
from tfreid.errors import DataError, ServingError, UsageError
from tfreid.networks import open_network
from tfreid.networks.served import ServedAddress
from tfreid.serving.calls import Caller
from tfreid.serving.server import LocalServer

IMAGES = np.random.default_rng(0).integers(0, 256, (70, *SIZE, 3)).astype("float32")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = tmp_path_factory.mktemp("served")
    write_version(base, 2)
    write_version(base, 3)
    return base


@pytest.fixture(scope="module")
def address(base):
    with LocalServer(base, max_queued_images=32) as server:
        yield f"127.0.0.1:{server.port}"


def described(network, images=IMAGES):
    return descriptors(network, images)


def test_pixels_are_given_to_a_server_in_requests_that_it_takes(address):
    network = open_network(f"grpc://{address}/reid")
    np.testing.assert_allclose(described(network), 3 * IMAGES.mean((1, 2)), rtol=1e-5)
    assert network.image_size_px == SIZE
    assert network.to_json()["signature"] == "embed_images"
    assert network.name == f"{address}/reid"


def test_signature_and_output_are_chosen(address):
    network = open_network(f"{address}/reid", signature="explain", output="embedding")
    np.testing.assert_allclose(described(network), 3 * IMAGES.mean((1, 2)), rtol=1e-5)
    with pytest.raises(UsageError, match=r"takes string and no arrays of pixels"):
        open_network(f"{address}/reid", signature="serving_default")
    with pytest.raises(UsageError, match=r"no signature 'none' \(signature\)"):
        open_network(f"{address}/reid", signature="none")


def test_one_version_is_asked_for_if_one_is_named(address, monkeypatch):
    asked = []

    class Listener(Caller):
        def call(self, method, request):
            asked.append(request.model_spec.version.value)
            return super().call(method, request)

    monkeypatch.setattr("tfreid.networks.served.Caller", Listener)
    network = open_network(f"grpc://{address}/reid:3")
    np.testing.assert_allclose(described(network, IMAGES[:2]), 3 * IMAGES[:2].mean((1, 2)), 1e-5)
    assert {*asked} == {3}
    assert network.to_json()["version"] == 3


def test_what_a_server_does_not_have_is_named(address):
    with pytest.raises(ServingError, match="does not serve what was asked for"):
        open_network(f"{address}/other")
    with pytest.raises(ServingError, match="does not serve what was asked for"):
        open_network(f"{address}/reid:7")


def test_a_server_that_goes_away_is_named(base, monkeypatch):
    monkeypatch.setattr("tfreid.networks.served._RETRIES", 0)
    with LocalServer(base) as server:
        network = open_network(f"grpc://127.0.0.1:{server.port}/reid")
    with pytest.raises(DataError, match="is not available"):
        described(network, IMAGES[:1])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("grpc://host:8500/reid", ("host:8500", "reid", None)),
        ("host:8500/reid:12", ("host:8500", "reid", 12)),
        ("grpc://[::1]:8500/a-b.c", ("[::1]:8500", "a-b.c", None)),
        ("host/reid", None),
        ("host:8500", None),
        ("models/a.onnx", None),
    ],
)
def test_addresses_are_read(text, parts):
    found = ServedAddress.parse(text)
    assert (found and (found.address, found.model, found.version)) == parts


@pytest.mark.parametrize("text", ["http://host:8501/v1/models/reid", "grpc://host/reid"])
def test_what_is_no_address_is_told_how_to_be_one(text):
    with pytest.raises(UsageError, match=r"give grpc://host:port/model"):
        open_network(text)
