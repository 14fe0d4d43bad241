import pytest
import tensorflow as tf
from linear_model import LinearModel, files
from tensorflow_serving.apis import prediction_log_pb2

from tfreid.serving import export


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export(LinearModel(), (8, 4), tmp_path_factory.mktemp("export"), files())


@pytest.fixture(scope="module")
def requests(exported):
    path = exported / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert all(log.WhichOneof("log_type") == "predict_log" for log in logs)
    return [log.predict_log.request for log in logs]


def test_every_request_can_be_answered(exported, requests):
    signatures = tf.saved_model.load(str(exported)).signatures
    assert {r.model_spec.signature_name for r in requests} == {"serving_default", "explain"}
    for request in requests:
        (image_bytes,) = (tf.make_ndarray(value) for value in request.inputs.values())
        function = signatures[request.model_spec.signature_name]
        outputs = function(**{name: tf.constant(image_bytes) for name in request.inputs})
        assert outputs["embedding"].shape == (len(image_bytes), 3)


def test_requests_have_the_samples_sizes_and_nobodys_pictures(requests):
    largest = max((tf.make_ndarray(r.inputs["image_bytes"]) for r in requests), key=len)
    sizes = [tuple(tf.io.decode_jpeg(file).shape[:2]) for file in largest]
    assert sizes == [(16, 8), (9, 7), (8, 4)]
    assert not set(files()) & set(largest)
