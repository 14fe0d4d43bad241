"""Random inputs: right results or errors of our own, nothing else.

`--fuzz_seconds` says how long they are tried; the number of an input repeats it.
"""

import itertools
import time
from collections import Counter

import grpc
import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel
from PIL import ImageOps
from tensorflow_serving.apis import predict_pb2

from tests.serving import mutations
from tests.serving.colour_model import channel_to, outputs, predict_request
from tfreid.records.images import RejectedError, decode_file
from tfreid.serving import ServedModel, export
from tfreid.serving.refused import fault_of
from tfreid.serving.server import LocalServer

pytestmark = pytest.mark.slow
SIZE_PX = mutations.SIZE_PX
GOOD = mutations.PICTURES[:4]
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"
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


def red_by_pillow(file):
    """The red channel as a reader sees it, or nothing where it refuses the file."""
    try:
        image = decode_file(file, "the file")
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[..., 0]
    except (RejectedError, SyntaxError):
        return None


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::RuntimeWarning:PIL")
def test_damaged_images_have_one_verdict(base, inputs):
    """Of the served graph, of server and client, and but for few files of Pillow.

    Pillow lets some ends of JPEG files be missing, and TensorFlow damaged notes beside a picture.
    """
    explain = tf.saved_model.load(str(base / "1")).signatures["explain"]
    verdicts = Counter()
    for number, rng in inputs:
        file = mutations.damaged_picture(rng)
        try:
            red = 255 * explain(image_bytes=tf.constant([file]))["red"][0].numpy()
        except tf.errors.InvalidArgumentError:
            red = None
        assert (red is None) == bool(fault_of(file)), number
        if not file.startswith((JPEG, PNG)):
            continue  # a reader makes PNG files of others
        read = red_by_pillow(file)
        verdicts[red is not None, read is not None] += 1
        # Of damaged JPEG files two versions of one library make different pictures.
        if red is not None and read is not None and file.startswith(PNG) and read.shape == SIZE_PX:
            np.testing.assert_allclose(red, read, atol=1e-3, err_msg=str(number))
    print(f"{number + 1:,} damaged images; JPEG and PNG by graph and Pillow: {dict(verdicts)}")
    assert verdicts[True, True] > 0.1 * verdicts.total()
    assert verdicts[True, False] + verdicts[False, True] < 3 + 0.01 * verdicts.total()


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
