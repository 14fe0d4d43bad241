import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving.colour_model import (
    channel_to,
    colours_request,
    outputs,
    png,
    predict_request,
    write_version,
)
from tfreid.serving.server import LocalServer, worker
from tfreid.serving.server.servable import Servable

Code = grpc.StatusCode
GREY = (10, 10, 10)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = tmp_path_factory.mktemp("served")
    write_version(base, 1)
    return base


class Gate:
    """Holds the model's computations, and remembers how many images each had.

    Attributes:
      open: the computations go on while it is set.
      entered: released at the start of each computation.
      batches: signature and number of images of each computation, in their order.
    """

    def __init__(self, compute):
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches = []
        self._compute = compute

    def compute(self, servable, signature, inputs):
        self.batches.append((signature, len(next(iter(inputs.values())))))
        self.entered.release()
        assert self.open.wait(60)
        return self._compute(servable, signature, inputs)

    def wait_for_computation(self):
        assert self.entered.acquire(timeout=60)


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(Servable.compute)
    monkeypatch.setattr(Servable, "compute", lambda *arguments: gate.compute(*arguments))
    yield gate
    gate.open.set()


@pytest.fixture
def server(base, gate, monkeypatch):
    monkeypatch.setattr(worker, "MAX_JOINED_IMAGES", 4)
    with LocalServer(base, max_queued_images=6) as server:
        yield server
        gate.open.set()


@pytest.fixture
def stub(server):
    with channel_to(server) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def queued(server):
    return server._worker.queued_images


def wait_until_queued(server, images):
    deadline = time.monotonic() + 60
    while queued(server) != images:
        assert time.monotonic() < deadline, queued(server)
        time.sleep(0.005)


@pytest.fixture
def busy(server, stub, gate):
    """A request that is being computed, so that all that follow have to wait."""
    busy = stub.Predict.future(colours_request(GREY))
    gate.wait_for_computation()
    return busy


def send(server, stub, *requests, timeout=60):
    """Sends requests so that they are queued in their order."""
    calls = []
    for request in requests:
        images = next(iter(request.inputs.values())).tensor_shape.dim[0].size
        expected = queued(server) + images
        calls.append(stub.Predict.future(request, timeout=timeout))
        wait_until_queued(server, expected)
    return calls


def test_waiting_requests_are_joined_and_each_gets_its_own(server, stub, gate, busy):
    colours = [(i, 2 * i, 0) for i in range(1, 7)]
    calls = send(
        server, stub, *(colours_request(*colours[a:b]) for a, b in [(0, 1), (1, 3), (3, 4), (4, 6)])
    )
    gate.open.set()
    found = np.concatenate([outputs(call.result())["embedding"] for call in [*calls, busy]])
    np.testing.assert_array_equal(found, [*colours, GREY])
    assert [images for _, images in gate.batches] == [1, 4, 2]


def test_only_requests_of_the_same_signature_are_joined(server, stub, gate, busy):
    of_files = colours_request(GREY)
    of_pixels = predict_request({"images": np.ones((1, 4, 2, 3), "float32")}, "embed_images")
    calls = send(server, stub, of_files, of_files, of_pixels, of_files)
    gate.open.set()
    assert all(len(outputs(call.result())["embedding"]) == 1 for call in calls)
    one, other = "serving_default", "embed_images"
    assert gate.batches[1:] == [(one, 2), (other, 1), (one, 1)]


def test_a_request_larger_than_a_batch_is_computed_alone(server, stub, gate, busy):
    calls = send(server, stub, colours_request(*[GREY] * 5), colours_request(GREY))
    gate.open.set()
    assert [len(outputs(call.result())["embedding"]) for call in calls] == [5, 1]
    assert [images for _, images in gate.batches] == [1, 5, 1]


def test_only_the_request_with_the_bad_file_fails(server, stub, gate, busy):
    bad = predict_request({"image_bytes": [png(GREY), png(GREY)[:-20]]})
    calls = send(server, stub, colours_request((1, 0, 0)), bad, colours_request((2, 0, 0)))
    gate.open.set()
    first, failed, last = calls
    np.testing.assert_array_equal(outputs(first.result())["embedding"], [[1, 0, 0]])
    np.testing.assert_array_equal(outputs(last.result())["embedding"], [[2, 0, 0]])
    assert failed.code() == Code.INVALID_ARGUMENT
    assert "image_bytes[1]: damaged" in failed.details()
    assert [images for _, images in gate.batches] == [1, 4, 1, 3, 2, 1]


def test_other_failures_are_narrowed_down_to_their_requests(server, stub, gate, busy, monkeypatch):
    """Where every file can be decoded, only computing each request alone tells."""

    def refuse_black(servable, signature, inputs):
        answer = gate.compute(servable, signature, inputs)
        if not answer["embedding"].all():
            raise tf.errors.InternalError(None, None, "too dark")
        return answer

    monkeypatch.setattr(Servable, "compute", refuse_black)
    good, dark = send(server, stub, colours_request(GREY), colours_request((0, 0, 0)))
    gate.open.set()
    np.testing.assert_array_equal(outputs(good.result())["embedding"], [GREY])
    assert (dark.code(), dark.details()) == (Code.INTERNAL, "too dark")


def test_a_bug_fails_its_request_and_not_the_server(server, stub, gate, monkeypatch):
    gate.open.set()
    with monkeypatch.context() as patch:
        patch.setattr(Servable, "compute", lambda *_: 1 / 0)
        with pytest.raises(grpc.RpcError) as failed:
            stub.Predict(colours_request(GREY), timeout=60)
    assert failed.value.code() == Code.INTERNAL
    assert "ZeroDivisionError" in failed.value.details()
    assert stub.Predict(colours_request(GREY), timeout=60)


def test_more_images_than_may_wait_are_refused(server, stub, gate, busy):
    calls = send(server, stub, colours_request(*[GREY] * 4))
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(colours_request(*[GREY] * 3), timeout=60)
    assert refused.value.code() == Code.RESOURCE_EXHAUSTED
    assert "4 images wait already, and at most 6 may" in refused.value.details()
    calls += send(server, stub, colours_request(*[GREY] * 2))
    gate.open.set()
    assert all(call.result() for call in calls)


def test_requests_past_their_deadline_are_dropped(server, stub, gate, busy):
    (late,) = send(server, stub, colours_request(GREY), timeout=0.3)
    assert late.exception().code() == Code.DEADLINE_EXCEEDED
    wait_until_queued(server, 0)
    gate.open.set()
    assert busy.result()
    assert [images for _, images in gate.batches] == [1]


def test_cancelled_requests_are_dropped(server, stub, gate, busy):
    first, second = send(server, stub, colours_request(GREY), colours_request(GREY, GREY))
    first.cancel()
    wait_until_queued(server, 2)
    gate.open.set()
    assert len(outputs(second.result())["embedding"]) == 2
    assert [images for _, images in gate.batches] == [1, 2]


def test_stopping_answers_what_was_accepted(server, stub, gate, busy):
    calls = [busy, *send(server, stub, colours_request(GREY), colours_request(GREY))]
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    codes = set()
    while Code.UNAVAILABLE not in codes:  # the first ones may come before it stops
        codes.add(stub.Predict.future(colours_request(GREY), timeout=0.1).code())
    assert codes <= {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}
    assert stopping.is_alive()
    gate.open.set()
    assert [len(outputs(call.result())["embedding"]) for call in calls] == [1, 1, 1]
    stopping.join(60)
    assert not stopping.is_alive()


def test_stopping_cancels_what_takes_longer_than_the_grace(server, stub, gate, busy):
    (waiting,) = send(server, stub, colours_request(GREY))
    stopping = threading.Thread(target=server.stop, args=[0.1])
    stopping.start()
    assert waiting.exception().code() in (Code.UNAVAILABLE, Code.CANCELLED)
    gate.open.set()
    stopping.join(60)
    assert not stopping.is_alive()
    assert [images for _, images in gate.batches] == [1]
