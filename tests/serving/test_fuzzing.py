"""Random inputs: right results or errors of our own, nothing else.

`--fuzz_seconds` says how long they are tried; the number of an input repeats it.
"""

import contextlib
import itertools
import time
from collections import Counter

import grpc
import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel
from tensorflow_serving.apis import predict_pb2

from tests.serving import mutations
from tests.serving.colour_model import channel_to, outputs, predict_request
from tfreid.inputs import decode_image
from tfreid.records.images import RejectedError, read_image
from tfreid.serving import ServedModel, export
from tfreid.serving.refused import fault_of
from tfreid.serving.server import LocalServer

pytestmark = pytest.mark.slow
SIZE_PX = mutations.SIZE_PX
GOOD = mutations.PICTURES[:4]
PNG = b"\x89PNG\r\n\x1a\n"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
OURS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported")
    export(LinearModel(SIZE_PX), SIZE_PX, path, GOOD)
    return path


@pytest.fixture
def inputs(request):
    """Numbers and generators of random inputs, for the time of a test."""
    end = time.monotonic() + request.config.getoption("--fuzz_seconds")

    def numbered():
        for number in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()):
            yield number, np.random.default_rng(number)

    return numbered()


@pytest.fixture
def served_red(base):
    """The red channel that the served graph sees, or nothing where it refuses a file."""
    explain = tf.saved_model.load(str(base / "1")).signatures["explain"]

    def red(file):
        try:
            return 255 * explain(image_bytes=tf.constant([file]))["red"][0].numpy()
        except tf.errors.InvalidArgumentError:
            return None

    return red


def record_of(path, file):
    """What the reader makes of a file for the records; nothing where it refuses it."""
    path.write_bytes(file)
    with contextlib.suppress(RejectedError):
        return read_image(str(path))[0]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::RuntimeWarning:PIL")
def test_damaged_images_have_one_verdict(served_red, inputs, tmp_path):
    """Of the reader, TensorFlow, the served graph, and server and client.

    What is served is read, and gives the same picture; what is read is stored so that TensorFlow
    and the graph take it. Readers also take files that nobody serves, and make PNG files of them.
    """
    verdicts = Counter()
    for number, rng in inputs:
        file = mutations.damaged_picture(rng)
        red, record = served_red(file), record_of(tmp_path / "file", file)
        assert (red is None) == bool(fault_of(file)), number
        verdict = "refused by all" if record is None else "taken by all"
        if record is None:
            assert red is None, number
        else:
            stored, decoded = served_red(record), decode_image(record).numpy()[..., 0]
            if decoded.shape == SIZE_PX:  # Others the graph resizes.
                np.testing.assert_allclose(stored, decoded, atol=1e-3, err_msg=str(number))
            if red is None:
                assert record.startswith(PNG), number
                verdict = "made a PNG by the reader alone"
            else:
                np.testing.assert_array_equal(stored, red, err_msg=str(number))
        verdicts[verdict] += 1
    print(f"{number + 1:,} damaged images: {dict(verdicts)}")
    assert verdicts["taken by all"] > 0.1 * verdicts.total()


class Asked:
    """A server, and what it answers to bytes in place of a request."""

    def __init__(self, base, server, channel):
        self.right = ServedModel(base / "1").embed_files(GOOD)
        self.server = server
        self._predict = channel.unary_unary(PREDICT)

    def answer(self, message):
        """Returns the code and the answer; a server that hangs has DEADLINE_EXCEEDED."""
        try:
            answer = self._predict(message, timeout=20)
        except grpc.RpcError as error:
            return error.code(), error.details()
        return grpc.StatusCode.OK, predict_pb2.PredictResponse.FromString(answer)

    def is_well(self):
        """Whether a good request has its right answer."""
        request = predict_request({"image_bytes": GOOD})
        code, answer = self.answer(request.SerializeToString())
        assert code == grpc.StatusCode.OK, answer
        np.testing.assert_allclose(outputs(answer)["embedding"], self.right, atol=1e-5)
        return True


@pytest.fixture
def asked(base):
    with (
        LocalServer(base, max_message_mib=1, max_queued_images=64, max_image_mpx=1) as server,
        channel_to(server) as channel,
    ):
        yield Asked(base, server, channel)


def test_damaged_requests_are_refused_or_answered_rightly(asked, inputs, caplog):
    codes = Counter()
    for number, rng in inputs:
        message = mutations.damaged_request(rng, GOOD).SerializeToString()
        if rng.random() < 0.3:
            message = mutations.mutated(message, rng)
        code, answer = asked.answer(message)
        codes[code] += 1
        if code != grpc.StatusCode.OK:
            assert code in OURS, (number, code, answer)
            assert 0 < len(answer) <= 4000, number
        elif "embedding" in answer.outputs:
            lengths = np.linalg.norm(outputs(answer)["embedding"], axis=1)
            np.testing.assert_allclose(lengths, 1, atol=1e-4, err_msg=str(number))
        if number % 200 == 0:
            assert asked.is_well()
    print(f"{number + 1:,} damaged requests: { {code.name: n for code, n in codes.items()} }")
    assert asked.is_well()
    assert codes[grpc.StatusCode.OK] > 0.02 * codes.total()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
