"""Many clients at once, some of them with garbage, while a new version arrives."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving.colour_model import (
    channel_to,
    outputs,
    png,
    predict_request,
    write_version,
)
from tfreid.serving.server import LocalServer

CLIENTS, GARBAGE = 32, 0.03
REQUESTS = range(15, 5_000)
"""How many a client sends: these at least, these at most, and until version 2 answers."""


def ask(server, client, answered):
    """Sends a client's requests; returns the garbage ones' codes and the good ones' versions."""
    chance = random.Random(client)
    codes, versions = [], []
    with channel_to(server) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for number in range(REQUESTS.stop):
            if number >= REQUESTS.start and 2 in versions:
                break
            colour = (1 + client, 1 + number % 250, 1 + chance.randrange(255))
            is_garbage = chance.random() < GARBAGE
            image = chance.randbytes(200) if is_garbage else png(colour)
            call = stub.Predict.future(predict_request({"image_bytes": [image]}), timeout=60)
            if is_garbage:
                codes.append(call.code())
                continue
            version = call.result().model_spec.version.value
            embedding = outputs(call.result())["embedding"]
            np.testing.assert_array_equal(embedding, [version * np.array(colour)])
            versions.append(version)
            answered.set()
    return codes, versions


@pytest.mark.slow
def test_every_good_request_is_answered_and_every_garbage_one_refused(tmp_path):
    write_version(tmp_path, 1)
    answered = threading.Event()
    with (
        LocalServer(tmp_path, poll_seconds=0.05) as server,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        asked = [clients.submit(ask, server, client, answered) for client in range(CLIENTS)]
        assert answered.wait(60)
        write_version(tmp_path, 2)
        results = [future.result() for future in asked]
    codes = list(chain.from_iterable(codes for codes, _ in results))
    versions = Counter(chain.from_iterable(versions for _, versions in results))
    assert set(codes) == {grpc.StatusCode.INVALID_ARGUMENT}
    assert len(codes) + versions.total() >= CLIENTS * REQUESTS.start
    assert versions.keys() == {1, 2}
