import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from tests.serving.pictures import IMAGES, expected, picture
from tests.serving.scripted_server import ScriptedServer, answer, fail, sizes
from tfreid.errors import MissingPathError, ServingError, UsageError
from tfreid.inputs import decode_image, resize_image
from tfreid.retrieval.distances import normalise
from tfreid.serving import RefusedImagesError, ReidClient
from tfreid.serving.server import LocalServer
from tfreid.training import Run

UNAVAILABLE = fail(grpc.StatusCode.UNAVAILABLE, "the queue is full")
REFUSED = fail(grpc.StatusCode.INVALID_ARGUMENT, "Unknown image file format")


def test_embeds_paths_and_bytes_in_their_order(tmp_path):
    images = list(IMAGES)
    for place, kind in ((1, str), (4, type(tmp_path))):
        path = tmp_path / f"{place}.png"
        path.write_bytes(IMAGES[place])
        images[place] = kind(path)
    with ScriptedServer() as server, ReidClient(server.address, batch_size=3) as client:
        embeddings = client.embed(images)
    assert embeddings.dtype == np.float32
    np.testing.assert_array_equal(embeddings, expected())
    assert sizes(server) == [3, 3, 1]
    spec = server.requests[0].model_spec
    assert (spec.name, spec.signature_name, spec.HasField("version")) == (
        "reid",
        "serving_default",
        False,
    )


def test_a_request_holds_no_more_bytes_than_allowed():
    small, large = picture(0), picture(1, (40, 40))
    images = [small, small, large, small]
    limit = 2.5 * len(small) / 2**20
    with ScriptedServer() as server, ReidClient(server.address, max_request_mib=limit) as client:
        np.testing.assert_array_equal(client.embed(images), expected(images))
    assert len(large) > 2**20 * limit
    assert sizes(server) == [2, 1, 1]


def test_a_closed_client_says_so():
    with ScriptedServer() as server:
        with ReidClient(server.address) as client:
            assert len(client.embed(IMAGES)) == len(IMAGES)
        with pytest.raises(UsageError, match=f"client of {server.address}: .*closed.*make another"):
            client.embed(IMAGES)


def test_explain_returns_the_maps_too():
    with ScriptedServer() as server, ReidClient(server.address, batch_size=5) as client:
        maps = client.explain(IMAGES)
    assert sorted(maps) == ["activation", "embedding"]
    np.testing.assert_array_equal(maps["embedding"], expected())
    assert maps["activation"].shape == (7, 2, 3)
    assert maps["activation"][:, 0, 0].tolist() == [len(image) for image in IMAGES]
    assert server.requests[0].model_spec.signature_name == "explain"


def test_a_server_that_comes_back_is_asked_again():
    with ScriptedServer(UNAVAILABLE, UNAVAILABLE) as server, ReidClient(server.address) as client:
        np.testing.assert_array_equal(client.embed(IMAGES), expected())
    assert sizes(server) == [7, 7, 7]


def test_retries_end():
    with (
        ScriptedServer(*[UNAVAILABLE] * 9) as server,
        ReidClient(server.address, retries=2) as client,
        pytest.raises(ServingError, match=r"is not available.*\(the queue is full\)"),
    ):
        client.embed(IMAGES)
    assert len(server.requests) == 3


def test_retries_end_with_the_time():
    started = time.monotonic()
    with (
        ScriptedServer(*[UNAVAILABLE] * 99) as server,
        ReidClient(server.address, retries=99, timeout_s=0.4) as client,
        pytest.raises(ServingError, match="is not available"),
    ):
        client.embed(IMAGES)
    assert time.monotonic() - started < 2
    assert 1 < len(server.requests) < 9


def test_a_server_may_start_later_than_its_client():
    with ScriptedServer() as gone:
        port = gone.port
    with ReidClient(f"127.0.0.1:{port}", retries=9) as client, ThreadPoolExecutor(1) as threads:
        embeddings = threads.submit(client.embed, IMAGES)
        time.sleep(0.3)
        with ScriptedServer(port=port):
            np.testing.assert_array_equal(embeddings.result(10), expected())


def test_no_proxy_is_asked_for_a_server_on_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer() as server, ReidClient(server.address, retries=0) as client:
        np.testing.assert_array_equal(client.embed(IMAGES), expected())


def test_nobody_there():
    with ScriptedServer() as gone:
        address = gone.address
    with (
        ReidClient(address, retries=0) as client,
        pytest.raises(ServingError, match=f"^{address} is not available: is the server running"),
    ):
        client.embed(IMAGES)


def test_an_address_is_not_that_of_a_page():
    with pytest.raises(UsageError, match=r"^address http://127\.0\.0\.1:8501: expected host:port"):
        ReidClient("http://127.0.0.1:8501")


def test_a_slow_server():
    released = threading.Event()

    def wait(request, context):
        released.wait(10)
        return answer()(request, context)

    with ScriptedServer(wait) as server, ReidClient(server.address, timeout_s=0.3) as client:
        with pytest.raises(ServingError, match=r"did not answer within 0\.3 s"):
            client.embed(IMAGES)
        released.set()
    assert len(server.requests) == 1


def test_the_fault_may_be_somebody_elses():
    """Where a server joins requests, one bad image fails them all."""
    with ScriptedServer(REFUSED, REFUSED) as server, ReidClient(server.address) as client:
        np.testing.assert_array_equal(client.embed(IMAGES), expected())
    assert len(server.requests) == 3


def test_a_request_that_stays_refused():
    reason = fail(grpc.StatusCode.INVALID_ARGUMENT, "there is no signature explain")
    with (
        ScriptedServer(*[reason] * 9) as server,
        ReidClient(server.address) as client,
        pytest.raises(ServingError, match="refuses the request: there is no signature explain"),
    ):
        client.explain(IMAGES)
    assert len(server.requests) == 3


def test_a_model_that_is_not_there():
    missing = fail(grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(reid)")
    with (
        ScriptedServer(missing) as server,
        ReidClient(server.address) as client,
        pytest.raises(ServingError, match=r"does not serve what was asked for: .*Latest\(reid\)"),
    ):
        client.embed(IMAGES)


def test_a_version_can_be_asked_for():
    with ScriptedServer(answer(3)) as server, ReidClient(server.address, version=3) as client:
        client.embed(IMAGES)
    assert server.requests[0].model_spec.version.value == 3


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"scores": np.zeros((7, 2))}, "answered with scores and not with an embedding"),
        ({"embedding": np.zeros((6, 2))}, r"answered 7 images with arrays of .*\(6, 2\)"),
    ],
)
def test_answers_of_another_kind_of_model(outputs, message):
    with (
        ScriptedServer(answer(**outputs)) as server,
        ReidClient(server.address) as client,
        pytest.raises(ServingError, match=message),
    ):
        client.embed(IMAGES)


def test_messages_may_be_larger_than_grpcs_limit():
    large = picture(1, (1400, 1400))
    assert len(large) > 4 * 2**20
    wide = {"embedding": np.zeros((1, 2**21), np.float32)}
    options = (("grpc.max_receive_message_length", -1),)
    with (
        ScriptedServer(answer(**wide), options=options) as server,
        ReidClient(server.address) as client,
    ):
        assert client.embed([large]).shape == (1, 2**21)


def test_other_failures_keep_their_names():
    with (
        ScriptedServer(fail(grpc.StatusCode.INTERNAL, "out of luck")) as server,
        ReidClient(server.address) as client,
        pytest.raises(ServingError, match="failed with INTERNAL: out of luck"),
    ):
        client.embed(IMAGES)
    assert len(server.requests) == 1


def test_descriptors_of_two_versions_are_not_mixed():
    """The server takes a new version between two requests of a call."""
    script = [answer(1), answer(2), answer(2), answer(2)]
    with ScriptedServer(*script) as server, ReidClient(server.address, batch_size=4) as client:
        np.testing.assert_array_equal(client.embed(IMAGES), expected())
    assert sizes(server) == [4, 3, 4, 3]


def test_versions_that_take_turns():
    with (
        ScriptedServer(*[answer(1), answer(2)] * 9) as server,
        ReidClient(server.address, batch_size=4) as client,
        pytest.raises(ServingError, match="answers with one version of the model and then another"),
    ):
        client.embed(IMAGES)


def test_status_and_signatures():
    with ScriptedServer() as server, ReidClient(server.address) as client:
        assert client.status() == {1: "AVAILABLE", 2: "LOADING"}
        assert list(client.signatures()) == ["serving_default"]
        assert list(client.signatures()["serving_default"].outputs) == ["embedding"]
        with (
            ReidClient(server.address, model="cars") as other,
            pytest.raises(ServingError, match="no model cars"),
        ):
            other.status()


def test_threads_share_a_client():
    with (
        ScriptedServer() as server,
        ReidClient(server.address, batch_size=2) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        for embeddings in threads.map(client.embed, [IMAGES] * 8):
            np.testing.assert_array_equal(embeddings, expected())


def test_misuse(tmp_path):
    with ReidClient("127.0.0.1:1") as client:
        with pytest.raises(MissingPathError, match=r"there is no image .*absent\.jpg"):
            client.embed([IMAGES[0], tmp_path / "absent.jpg"])
        with pytest.raises(UsageError, match="found a single image"):
            client.embed("a.jpg")
        with pytest.raises(UsageError, match="the list is empty"):
            client.embed([])
        with pytest.raises(UsageError, match="image 1 of the list is of type int: expected a path"):
            client.embed([IMAGES[0], 3])
        with pytest.raises(MissingPathError, match=r"there is no image n+ \(File name too long\)"):
            client.embed(["n" * 300])
    for wrong in ({"batch_size": 0}, {"timeout_s": 0}, {"retries": -1}, {"max_request_mib": 0}):
        with pytest.raises(UsageError, match="must be positive"):
            ReidClient(**wrong)
    with pytest.raises(UsageError, match="expected 0 to 9223372036854775807"):
        ReidClient(version=2**63)


@pytest.mark.slow
def test_a_program_that_asks_is_quiet():
    code = "from tfreid.serving import ReidClient; ReidClient().close()"
    environment = {
        name: v
        for name, v in os.environ.items()
        if name not in ("TF_CPP_MIN_LOG_LEVEL", "GRPC_VERBOSITY", "PYTHONWARNINGS")
    }
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.slow
def test_answers_are_the_trained_models(dgd_run, raw_data):
    """Client, local server and exported model against the Keras model."""
    paths = sorted((raw_data / "market1501" / "query").glob("*.jpg"))
    run = Run(dgd_run)
    model, size_px = run.model, run.stage.inputs.image_size_px
    files = [*(path.read_bytes() for path in paths), *IMAGES]
    pixels = np.stack([resize_image(decode_image(file), size_px) for file in files])
    with (
        LocalServer(dgd_run / "export") as server,
        ReidClient(f"127.0.0.1:{server.port}", batch_size=5) as client,
    ):
        embeddings = client.embed([*paths, *IMAGES])
        maps = client.explain([*paths, *IMAGES])
    assert len(embeddings) > 12
    np.testing.assert_allclose(embeddings, normalise(model.embed(pixels)), atol=1e-4)
    np.testing.assert_allclose(maps.pop("embedding"), embeddings, atol=1e-5)
    expected_maps = model.explain(pixels)
    assert set(maps) == set(expected_maps)
    for name, values in maps.items():
        np.testing.assert_allclose(values, expected_maps[name], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_local_servers_answers_are_understood(dgd_run):
    with LocalServer(dgd_run / "export") as server:
        address = f"127.0.0.1:{server.port}"
        with ReidClient(address) as client:
            assert client.status() == {1: "AVAILABLE"}
            assert {"serving_default", "embed_images", "explain"} <= set(client.signatures())
            with pytest.raises(RefusedImagesError, match="1 of the images cannot be described"):
                client.embed([*IMAGES, b"garbage"])
        with (
            ReidClient(address, version=7) as client,
            pytest.raises(ServingError, match="version 7 of the model is not served"),
        ):
            client.embed(IMAGES)
        with (
            ReidClient(address, model="cars") as client,
            pytest.raises(ServingError, match="no model 'cars'"),
        ):
            client.status()
