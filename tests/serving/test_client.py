import io
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import PIL.Image
import pytest

from tests.serving.colour_model import png_header
from tests.serving.scripted_server import ScriptedServer, answer, descriptor, fail
from tfreid.errors import DataError, MissingPathError, ServingError, UsageError
from tfreid.inputs import decode_image, resize_image
from tfreid.retrieval.distances import normalise
from tfreid.serving import RefusedImagesError, ReidClient
from tfreid.serving.server import LocalServer
from tfreid.training import Run

UNAVAILABLE = fail(grpc.StatusCode.UNAVAILABLE, "the queue is full")
REFUSED = fail(grpc.StatusCode.INVALID_ARGUMENT, "Unknown image file format")


def picture(seed: int, size=(6, 4)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


IMAGES = [picture(seed) for seed in range(7)]


def expected(images=IMAGES) -> np.ndarray:
    return np.stack([descriptor(image) for image in images])


def sizes(server: ScriptedServer) -> list[int]:
    """Images in each request that arrived."""
    return [len(request.inputs["image_bytes"].string_val) for request in server.requests]


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


def strict(*bad: bytes, details: str = "Unknown image file format"):
    """A step that refuses requests with some of the images, as TensorFlow Serving does."""

    def step(request, context):
        if set(bad) & set(request.inputs["image_bytes"].string_val):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, details)
        return answer()(request, context)

    return step


def refused(server: ScriptedServer, images: list, **options) -> RefusedImagesError:
    """Embeds images; goes on without the refused ones, as the documents tell to."""
    with ReidClient(server.address, **options) as client:
        with pytest.raises(RefusedImagesError) as caught:
            client.embed(images)
        good = [image for place, image in enumerate(images) if place not in caught.value.reasons]
        files = [image if isinstance(image, bytes) else image.read_bytes() for image in good]
        np.testing.assert_array_equal(client.embed(good), expected(files))
    return caught.value


def as_file(kind: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.open(io.BytesIO(IMAGES[0])).save(buffer, kind)
    return buffer.getvalue()


def test_images_that_cannot_be_decoded_are_named(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(IMAGES[0][:-20])
    images = [*IMAGES, b"this is no image", *IMAGES, broken]
    bad = strict(images[7], broken.read_bytes())
    with ScriptedServer(*[bad] * 9) as server:
        refusal = refused(server, images, batch_size=3)
    assert list(refusal.reasons) == [7, 15]
    assert str(refusal).startswith("2 of the images cannot be described: image 7 of the list: no ")
    assert f"{broken}: damaged, or of a kind" in str(refusal)
    assert isinstance(refusal, DataError)
    assert sizes(server)[:7] == [3, 3, 3, 2, 3, 3, 1]


FAULTS = {
    "GIF": (as_file("GIF"), "a GIF file, expected JPEG, PNG or BMP"),
    "TIFF": (as_file("TIFF"), "a TIFF file, expected JPEG, PNG or BMP"),
    "WebP": (as_file("WEBP"), "a WebP file, expected JPEG, PNG or BMP"),
    "empty": (b"", "an empty file, expected JPEG, PNG or BMP"),
    "no end": (as_file("JPEG")[:-2], "damaged, or of a kind of JPEG, PNG or BMP that"),
    "no header": (as_file("JPEG")[:20], "damaged in its header"),
    "bomb": (png_header(10_000, 5_001), "10000x5001 pixels, expected at most 50 million"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_of_bad_file_has_its_place(kind):
    file, fault = FAULTS[kind]
    with ScriptedServer(*[strict(file)] * 9) as server:
        reasons = refused(server, [*IMAGES, file]).reasons
    assert list(reasons) == [7]
    assert reasons[7].startswith(f"image 7 of the list: {fault}")


def test_the_servers_own_reasons_have_their_places(tmp_path):
    """It may be stricter than the client: what it says counts."""
    path = tmp_path / "large.png"
    path.write_bytes(IMAGES[5])
    images = [*IMAGES[:5], path, *IMAGES[6:]]
    reason = "image_bytes[2]: 12x9 pixels, expected at most 0.1 million"
    with ScriptedServer(*[strict(IMAGES[5], details=reason)] * 9) as server:
        reasons = refused(server, images, batch_size=3).reasons
    assert reasons == {5: f"{path}: 12x9 pixels, expected at most 0.1 million"}
    assert sizes(server)[:4] == [3, 3, 2, 1]


def test_a_place_that_was_not_sent_is_no_reason():
    reason = fail(grpc.StatusCode.INVALID_ARGUMENT, "image_bytes[7]: no image file")
    with (
        ScriptedServer(*[reason] * 9) as server,
        ReidClient(server.address) as client,
        pytest.raises(ServingError, match="refuses the request"),
    ):
        client.embed(IMAGES)


def test_a_file_that_cannot_be_read_has_its_place(tmp_path, monkeypatch):
    path = tmp_path / "locked.png"
    path.write_bytes(IMAGES[0])
    read = type(path).read_bytes

    def locked(one):
        if one == path:
            raise PermissionError(13, "Permission denied", str(one))
        return read(one)

    monkeypatch.setattr(type(path), "read_bytes", locked)
    with ScriptedServer() as server:
        reasons = refused(server, [*IMAGES, path]).reasons
    assert reasons == {7: f"{path}: cannot be read (Permission denied)"}


def test_many_bad_images_are_counted():
    garbage = [b"%d" % number for number in range(8)]
    with (
        ScriptedServer(REFUSED) as server,
        ReidClient(server.address) as client,
        pytest.raises(RefusedImagesError, match=r"^8 of the images .* and 3 more$"),
    ):
        client.embed(garbage)


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


def test_a_message_that_is_too_large_for_the_server():
    large = picture(1, (200, 200))
    with ScriptedServer(options=(("grpc.max_receive_message_length", 2**16),)) as server:
        with (
            ReidClient(server.address) as client,
            pytest.raises(ServingError, match=r"takes no more: .*larger than max"),
        ):
            client.embed([large, *IMAGES])
        reasons = refused(server, [large, *IMAGES], max_request_mib=2**-5).reasons
    assert list(reasons) == [0]
    assert "larger than max" in reasons[0]


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
