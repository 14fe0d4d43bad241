import os
import shutil
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from tests.serving.colour_model import (
    channel_to,
    colours_request,
    outputs,
    predict_request,
    write_version,
)
from tfreid.serving.server import LocalServer, versions
from tfreid.serving.server.servable import Servable

State = get_model_status_pb2.ModelVersionStatus.State
GREY = (10, 10, 10)


@pytest.fixture
def base(tmp_path):
    base = tmp_path / "served"
    base.mkdir()
    return base


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder with versions 1 to 3, which tests copy from."""
    store = tmp_path_factory.mktemp("store")
    for version in (1, 2, 3):
        write_version(store, version)
    return store


class Observed:
    """A running server and what its clients see."""

    def __init__(self, server, channel):
        self.server = server
        self.predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        self._status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus
        self._health = health_pb2_grpc.HealthStub(channel)

    def states(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "reid"
        found = self._status(request).model_version_status
        return {status.version: State.Name(status.state) for status in found}

    def error(self, version):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "reid"
        request.model_spec.version.value = version
        return self._status(request).model_version_status[0].status

    def is_healthy(self):
        answer = self._health.Check(health_pb2.HealthCheckRequest())
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    def answering_version(self):
        response = self.predict(colours_request(GREY), timeout=60)
        np.testing.assert_array_equal(
            outputs(response)["embedding"], [np.array(GREY) * response.model_spec.version.value]
        )
        return response.model_spec.version.value

    def wait_for(self, states):
        deadline = time.monotonic() + 60
        while self.states() != states:
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.01)


@pytest.fixture
def start(base):
    """Starts a server on `base`, which is stopped at the end of the test."""
    running = []

    def start():
        server = LocalServer(base, poll_seconds=0.02).start()
        channel = channel_to(server)
        running.append((server, channel))
        return Observed(server, channel)

    yield start
    for server, channel in running:
        channel.close()
        server.stop()


def add(store, base, version):
    """Adds a whole version at once."""
    shutil.copytree(store / str(version), base / "copying")
    (base / "copying").rename(base / str(version))


def test_a_version_that_arrives_later_serves(store, base, start):
    observed = start()
    assert observed.states() == {}
    add(store, base, 1)
    observed.wait_for({1: "AVAILABLE"})
    assert observed.answering_version() == 1
    assert observed.is_healthy()


def test_the_highest_version_serves(store, base, start):
    add(store, base, 1)
    add(store, base, 2)
    (base / "best").mkdir()
    observed = start()
    assert observed.states() == {2: "AVAILABLE"}
    assert observed.answering_version() == 2


def test_a_new_version_takes_over_without_failed_requests(store, base, start):
    add(store, base, 1)
    observed = start()
    seen, over = [], threading.Event()

    def ask():
        while not over.is_set():
            seen.append(observed.answering_version())

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for version in (2, 3):
        add(store, base, version)
        observed.wait_for(
            {n: "AVAILABLE" if n == version else "END" for n in range(1, version + 1)}
        )
    before = len(seen)
    while len(seen) < before + 20:
        assert all(client.is_alive() for client in clients)
    over.set()
    for client in clients:
        client.join()
    assert set(seen[before + 4 :]) == {3}
    assert set(seen) == {1, 2, 3}


def test_the_old_version_finishes_its_requests(store, base, start, monkeypatch):
    add(store, base, 1)
    observed = start()
    entered, proceed = threading.Event(), threading.Event()
    compute = Servable.compute

    def wait_in_version_1(servable, signature, inputs):
        if servable.version == 1:
            entered.set()
            assert proceed.wait(60)
        return compute(servable, signature, inputs)

    monkeypatch.setattr(Servable, "compute", wait_in_version_1)
    old = observed.predict.future(colours_request(GREY))
    assert entered.wait(60)
    add(store, base, 2)
    observed.wait_for({1: "UNLOADING", 2: "AVAILABLE"})
    proceed.set()
    assert old.result().model_spec.version.value == 1
    observed.wait_for({1: "END", 2: "AVAILABLE"})
    with pytest.raises(grpc.RpcError, match="version 1 of the model is not served; version 2 is"):
        observed.predict(predict_request({}, version=1))


def test_a_half_copied_version_is_left_alone(store, base, start):
    add(store, base, 1)
    observed = start()
    shutil.copytree(store / "2", base / "2", ignore=shutil.ignore_patterns("saved_model.pb"))
    observed.server._versions.check()
    assert observed.states() == {1: "AVAILABLE"}
    shutil.copy(store / "2" / "saved_model.pb", base / "2")
    observed.wait_for({1: "END", 2: "AVAILABLE"})


@pytest.mark.parametrize("damage", ["saved_model.pb", "variables/variables.index"])
def test_a_broken_version_keeps_the_old_one_until_it_is_mended(store, base, start, damage):
    add(store, base, 1)
    observed = start()
    shutil.copytree(store / "2", base / "copying")
    (base / "copying" / damage).write_bytes(b"\xff" * 8)
    (base / "copying").rename(base / "2")
    observed.wait_for({1: "AVAILABLE", 2: "END"})
    assert observed.error(2).error_code != 0
    assert observed.error(2).error_message
    assert observed.answering_version() == 1
    shutil.copy(store / "2" / damage, base / "2" / damage)
    observed.wait_for({1: "END", 2: "AVAILABLE"})
    assert observed.answering_version() == 2
    assert observed.error(2).error_code == 0


def test_a_broken_version_is_not_tried_again_unchanged(base, start, monkeypatch):
    (base / "1").mkdir()
    (base / "1" / "saved_model.pb").write_bytes(b"\xff" * 8)
    tried = []
    load = Servable.__init__
    monkeypatch.setattr(
        Servable,
        "__init__",
        lambda it, path, number: (tried.append(path), load(it, path, number))[1],
    )
    observed = start()
    for _ in range(3):
        observed.server._versions.check()
    assert len(tried) == 1
    assert not observed.is_healthy()


def reports(caplog):
    return [record.message for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("number", [2**63, 20261127103059123456])
def test_a_number_that_no_version_can_have_is_reported_once(store, base, start, caplog, number):
    add(store, base, 1)
    shutil.copytree(store / "1", base / str(number))
    observed = start()
    observed.server._versions.check()
    assert observed.states() == {1: "AVAILABLE"}
    assert reports(caplog) == [
        f"{base / str(number)} is left out: the highest version is {2**63 - 1}; rename it"
    ]
    add(store, base, 2)
    observed.wait_for({1: "END", 2: "AVAILABLE"})


def test_the_highest_number_serves(store, base, start):
    shutil.copytree(store / "1", base / str(2**63 - 1))
    observed = start()
    assert observed.states() == {2**63 - 1: "AVAILABLE"}
    assert observed.predict(colours_request(GREY)).model_spec.version.value == 2**63 - 1


def test_links_that_lead_nowhere_or_in_circles_harm_nobody(store, base, start, caplog):
    add(store, base, 1)
    shutil.copytree(store / "2", base / "copying")
    (base / "copying" / "notes.txt").symlink_to("gone.txt")
    (base / "copying" / "circle").symlink_to("circle")
    (base / "copying").rename(base / "2")
    (base / "3").symlink_to("gone")
    (base / "4").symlink_to("4")
    (base / "5").mkdir()
    (base / "5" / "saved_model.pb").symlink_to("gone.pb")
    observed = start()
    observed.server._versions.check()
    assert observed.states() == {2: "AVAILABLE"}
    assert reports(caplog) == []
    (base / "5" / "saved_model.pb").unlink()
    shutil.copytree(store / "3", base / "5", dirs_exist_ok=True)
    observed.wait_for({2: "END", 5: "AVAILABLE"})


def test_a_pipe_in_place_of_the_model_does_not_hold_up_the_others(store, base, start):
    add(store, base, 1)
    (base / "2").mkdir()
    os.mkfifo(base / "2" / "saved_model.pb")
    assert start().states() == {1: "AVAILABLE"}


def test_a_mended_link_is_tried_again(store, base, start):
    shutil.copytree(store / "1", base / "1", ignore=shutil.ignore_patterns("variables*"))
    (base / "1" / "variables").mkdir()
    for file in (store / "1" / "variables").iterdir():
        (base / "1" / "variables" / file.name).symlink_to(base / f"{file.name}.elsewhere")
    observed = start()
    assert observed.states() == {1: "END"}
    for file in (store / "1" / "variables").iterdir():
        shutil.copy(file, base / f"{file.name}.elsewhere")
    observed.wait_for({1: "AVAILABLE"})


@pytest.mark.parametrize("place", ["_fingerprint", "_ready", "_load"])
def test_the_watcher_survives_every_error(store, base, start, monkeypatch, caplog, place):
    """One that concerns a version does not keep the others from being found."""
    add(store, base, 1)
    add(store, base, 2)
    owner = versions if place == "_fingerprint" else versions.Versions
    working = getattr(owner, place)

    def failing(*arguments):
        if place == "_ready" or base / "2" in arguments:
            raise RuntimeError("out of\n luck")
        return working(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, place, failing)
        observed = start()
        observed.server._versions.check()
        assert observed.states() == ({} if place == "_ready" else {1: "AVAILABLE"})
        what = f"for versions in {base}" if place == "_ready" else f"into {base / '2'}"
        assert reports(caplog) == [f"cannot look {what}: out of luck"]
    observed.wait_for({2: "AVAILABLE"} if place == "_ready" else {1: "END", 2: "AVAILABLE"})


def test_a_model_of_another_kind_is_refused(base, start):
    module = tf.Module()
    module.double = tf.function(lambda x: {"y": 2 * x}, [tf.TensorSpec([None, 3], tf.float32)])
    tf.saved_model.save(module, str(base / "1"), module.double.get_concrete_function())
    observed = start()
    assert observed.states() == {1: "END"}
    reason = observed.error(1).error_message
    assert "no model that python -m tfreid.export wrote: expected the signature" in reason
    assert "found one from 'x' to 'y'" in reason
    assert not observed.is_healthy()


def test_warmup_requests_run_before_a_version_serves(base, start, monkeypatch):
    warmup = colours_request(GREY, GREY)
    write_version(base, 1, warmup, warmup)
    computed = []
    compute = Servable.compute

    def note(servable, signature, inputs):
        computed.append((signature, len(inputs["image_bytes"])))
        return compute(servable, signature, inputs)

    monkeypatch.setattr(Servable, "compute", note)
    start()
    assert computed == [("serving_default", 2)] * 2


def test_a_version_that_refuses_its_warmup_requests_is_broken(base, start):
    write_version(base, 1, predict_request({"image_bytes": [b"no image"]}))
    observed = start()
    assert observed.states() == {1: "END"}
    assert observed.error(1).error_message


def test_a_removed_version_gives_way_to_another(store, base, start):
    add(store, base, 1)
    add(store, base, 2)
    observed = start()
    shutil.rmtree(base / "2")
    observed.wait_for({1: "AVAILABLE", 2: "END"})
    assert observed.answering_version() == 1


def test_the_last_version_serves_on_when_its_folder_is_removed(store, base, start):
    add(store, base, 1)
    observed = start()
    shutil.rmtree(base)
    time.sleep(0.1)
    assert observed.answering_version() == 1
    base.mkdir()
    add(store, base, 2)
    observed.wait_for({1: "END", 2: "AVAILABLE"})
