import re
import shutil

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from tests.serving.colour_model import (
    SIZE,
    channel_to,
    colours_request,
    outputs,
    png,
    png_header,
    predict_request,
    write_version,
)
from tfreid.errors import MissingPathError, UsageError
from tfreid.serving import ReidClient
from tfreid.serving.server import LocalServer
from tfreid.serving.server.servable import Servable

Code = grpc.StatusCode
RED, GREEN = (200, 0, 0), (0, 100, 0)
IMAGES = np.arange(2 * SIZE[0] * SIZE[1] * 3, dtype="float32").reshape(2, *SIZE, 3)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = tmp_path_factory.mktemp("served")
    write_version(base, 3)
    return base


@pytest.fixture(scope="module")
def server(base):
    limits = {"max_queued_images": 8, "max_message_mib": 1, "max_image_mpx": 1}
    with LocalServer(base, **limits) as server:
        yield server


@pytest.fixture(scope="module")
def channel(server):
    with channel_to(server) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def refusal(call, *arguments):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, timeout=30)
    return caught.value.code(), caught.value.details()


def test_answers_are_the_signatures(base, stub):
    signatures = tf.saved_model.load(str(base / "3")).signatures
    response = stub.Predict(predict_request({"images": IMAGES}, "explain"))
    expected = signatures["explain"](images=tf.constant(IMAGES))
    assert outputs(response).keys() == {"embedding", "activation"}
    for name, array in outputs(response).items():
        np.testing.assert_array_equal(array, expected[name])
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("reid", 3, "explain")


def test_image_files_are_embedded(stub):
    response = stub.Predict(colours_request(RED, GREEN))
    np.testing.assert_array_equal(outputs(response)["embedding"], [[600, 0, 0], [0, 300, 0]])
    assert response.model_spec.signature_name == "serving_default"


def test_a_named_version_answers(stub):
    response = stub.Predict(predict_request({"image_bytes": [png(RED)]}, version=3))
    assert response.model_spec.version.value == 3


def test_output_filter_leaves_out_the_rest(stub):
    request = predict_request({"images": IMAGES}, "explain")
    request.output_filter.append("activation")
    assert list(stub.Predict(request).outputs) == ["activation"]


def bad_values():
    request = predict_request({"image_bytes": [png(RED)]})
    request.inputs["image_bytes"].tensor_shape.dim[0].size = 5
    return request


def bad_filter():
    request = predict_request({"images": IMAGES}, "explain")
    request.output_filter.append("masks")
    return request


def bad_label():
    request = colours_request(RED)
    request.model_spec.version_label = "stable"
    return request


REFUSED = {
    "model": (lambda: predict_request({}, name="cars"), Code.NOT_FOUND, "'cars'.*'reid' is"),
    "version": (lambda: predict_request({}, version=4), Code.NOT_FOUND, "version 4.*version 3 is"),
    "label": (bad_label, Code.INVALID_ARGUMENT, "'stable'"),
    "signature": (
        lambda: predict_request({"images": IMAGES}, "embed"),
        Code.INVALID_ARGUMENT,
        "no signature 'embed'; it has 'embed_images', 'explain', 'serving_default'",
    ),
    "input": (
        lambda: predict_request({"image": [b""]}),
        Code.INVALID_ARGUMENT,
        "expected the inputs 'image_bytes', found 'image'",
    ),
    "dtype": (
        lambda: predict_request({"images": IMAGES.astype("float64")}, "embed_images"),
        Code.INVALID_ARGUMENT,
        r"expected float32 \[batch, 4, 2, 3\], found float64 \[2, 4, 2, 3\]",
    ),
    "shape": (
        lambda: predict_request({"images": IMAGES[:, :2]}, "embed_images"),
        Code.INVALID_ARGUMENT,
        r"found float32 \[2, 2, 2, 3\]",
    ),
    "rank": (
        lambda: predict_request({"image_bytes": png(RED)}),
        Code.INVALID_ARGUMENT,
        r"found string \[\]",
    ),
    "no numbers": (
        lambda: predict_request({"images": IMAGES + np.float32("nan")}, "embed_images"),
        Code.INVALID_ARGUMENT,
        r"expected pixels in \[0, 255\], found others",
    ),
    "no images": (
        lambda: predict_request({"images": IMAGES[:0]}, "embed_images"),
        Code.INVALID_ARGUMENT,
        r"found float32 \[0, 4, 2, 3\]",
    ),
    "too many images": (
        lambda: colours_request(*[RED] * 9),
        Code.INVALID_ARGUMENT,
        "9 images in one request: expected at most 8",
    ),
    "values": (bad_values, Code.INVALID_ARGUMENT, r"do not fill the shape \[5\]"),
    "filter": (bad_filter, Code.INVALID_ARGUMENT, "no output 'masks'; it has 'activation'"),
    "file": (
        lambda: predict_request({"image_bytes": [png(RED), b"no image", png(RED)[:20]]}),
        Code.INVALID_ARGUMENT,
        r"^image_bytes\[1\]: no image file, expected JPEG, PNG or BMP; "
        r"image_bytes\[2\]: damaged in its header$",
    ),
    "damaged file": (
        lambda: predict_request({"image_bytes": [png(RED), png(RED)[:-20]]}),
        Code.INVALID_ARGUMENT,
        r"^image_bytes\[1\]: damaged, or of a kind",
    ),
    "pixels": (
        lambda: predict_request({"image_bytes": [png_header(1001, 1000), png(RED)]}),
        Code.INVALID_ARGUMENT,
        r"^image_bytes\[0\]: 1001x1000 pixels, expected at most 1 million$",
    ),
    "size": (
        lambda: predict_request({"image_bytes": [bytes(2 << 20)]}),
        Code.RESOURCE_EXHAUSTED,
        "larger than max",
    ),
}


def long_names():
    """Requests with a long name at each place that an error may show."""
    long = "n" * 500_000
    label = colours_request(RED)
    label.model_spec.version_label = long
    outputs = predict_request({"images": IMAGES}, "explain")
    outputs.output_filter.extend([long[:90_000] + str(number) for number in range(9)])
    inputs = predict_request({f"{number}{long[:9_000]}": [b""] for number in range(99)})
    return {
        "model": predict_request({}, name=long),
        "signature": predict_request({}, long),
        "label": label,
        "outputs": outputs,
        "inputs": inputs,
    }


@pytest.mark.parametrize("place", long_names())
def test_long_names_are_shortened(stub, place):
    code, text = refusal(stub.Predict, long_names()[place])
    assert code in (Code.INVALID_ARGUMENT, Code.NOT_FOUND)
    assert "n…'" in text
    assert len(text) < 3000


@pytest.mark.parametrize("reason", REFUSED)
def test_refusals_say_why(stub, reason):
    request, wanted, pattern = REFUSED[reason]
    code, text = refusal(stub.Predict, request())
    assert code == wanted
    assert re.search(pattern, text), text


def test_metadata_are_the_signatures_of_the_file(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "reid"
    response = stub.GetModelMetadata(request)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    assert found.signature_def.keys() >= {"serving_default", "embed_images", "explain"}
    info = found.signature_def["explain"].inputs["images"]
    assert [dim.size for dim in info.tensor_shape.dim] == [-1, *SIZE, 3]
    assert response.model_spec.version.value == 3


def test_other_metadata_are_refused(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["author"])
    request.model_spec.name = "reid"
    assert refusal(stub.GetModelMetadata, request)[0] == Code.INVALID_ARGUMENT
    request.model_spec.name = "cars"
    assert refusal(stub.GetModelMetadata, request)[0] == Code.NOT_FOUND


def test_status_lists_the_version(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "reid"
    (status,) = stub.GetModelStatus(request).model_version_status
    assert (status.version, status.state) == (3, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    request.model_spec.version.value = 4
    assert refusal(stub.GetModelStatus, request)[0] == Code.NOT_FOUND


def test_what_is_not_offered_is_unimplemented(stub):
    request = classification_pb2.ClassificationRequest()
    code, text = refusal(stub.Classify, request)
    assert (code, text.split("/")[-1]) == (Code.UNIMPLEMENTED, "Classify is not offered here")


def test_bytes_that_are_no_request_are_refused_without_traceback(channel, caplog):
    predict = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    code, text = refusal(predict, b"\xff\xff\xff")
    assert code == Code.INVALID_ARGUMENT
    assert text == "the bytes are no request of /tensorflow.serving.PredictionService/Predict"
    assert caplog.records == []


def test_a_bug_is_named_in_one_line(stub, monkeypatch, caplog):
    monkeypatch.setattr(Servable, "read", lambda *_: 1 / 0)
    code, text = refusal(stub.Predict, colours_request(RED))
    assert (code, text) == (Code.INTERNAL, "ZeroDivisionError: division by zero")
    (record,) = caplog.records
    assert record.message.endswith("/Predict failed: ZeroDivisionError: division by zero")


def health(channel):
    request = health_pb2.HealthCheckRequest(service="tensorflow.serving.PredictionService")
    return health_pb2_grpc.HealthStub(channel).Check(request).status


def test_healthy_while_a_version_serves(channel):
    assert health(channel) == health_pb2.HealthCheckResponse.SERVING


def test_an_empty_folder_is_waited_for(tmp_path):
    with (
        LocalServer(tmp_path, poll_seconds=0.05) as server,
        channel_to(server) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        assert server.version is None
        assert refusal(stub.Predict, colours_request(RED))[0] == Code.UNAVAILABLE
        assert health(channel) == health_pb2.HealthCheckResponse.NOT_SERVING


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(MissingPathError, match="expected the folder of model versions"):
        LocalServer(tmp_path / "none")


def test_a_version_can_be_served_by_itself(base, tmp_path, monkeypatch):
    shutil.copytree(base / "3", tmp_path / "3")
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "saved_model.pb").write_bytes(b"\xff")
    monkeypatch.chdir(tmp_path / "3")
    for itself in (tmp_path / "3", "."):
        with LocalServer(itself, poll_seconds=0.01) as server:
            assert server.version == 3
    (tmp_path / "3").rename(tmp_path / "best")
    with LocalServer(tmp_path / "best", poll_seconds=0.01) as server:
        assert server.version == 1


def test_a_folder_of_impossible_versions_is_refused(tmp_path):
    (tmp_path / str(2**64)).mkdir()
    with pytest.raises(UsageError, match=rf"no version but {2**64}, and the highest is"):
        LocalServer(tmp_path)


def test_a_runs_folder_names_its_exports(tmp_path):
    (tmp_path / "export" / "1").mkdir(parents=True)
    with pytest.raises(UsageError, match=f"did you mean {tmp_path / 'export'}"):
        LocalServer(tmp_path)
    (tmp_path / "0").mkdir()
    LocalServer(tmp_path)


@pytest.mark.parametrize("limit", [0, -1, 51, float("nan")])
def test_a_limit_beyond_the_models_is_refused(base, limit):
    with pytest.raises(UsageError, match=r"max_image_mpx=.*: expected above 0 and at most 50"):
        LocalServer(base, max_image_mpx=limit)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6(base, host):
    with LocalServer(base, host=host) as server:
        assert server.address == f"[::1]:{server.port}"
        with ReidClient(server.address) as client:
            np.testing.assert_array_equal(client.embed([png(RED)]), [[600, 0, 0]])


def test_a_taken_port_is_refused(base, server):
    with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{server.port}"):
        LocalServer(base, port=server.port).start()
