"""The files of `deploy/` say what TensorFlow Serving and Docker Compose can read.

The package tensorflow-serving-api has the protocol of models.config only. The messages of the other
two files are built here from their public definitions, `session_bundle_config.proto` and
`monitoring_config.proto` of TensorFlow Serving.
"""

import http.server
import inspect
import re
import socketserver
import subprocess
import threading
from pathlib import Path

import pytest
import tensorflow as tf
import yaml
from google.protobuf import descriptor_pb2, message_factory, text_format, wrappers_pb2
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2

from tfreid.inputs import decode_image
from tfreid.serving import ReidClient
from tfreid.serving.signatures import DEFAULT, EXPLAIN

DEPLOY = Path(__file__).parent.parent / "deploy"
FIELD = descriptor_pb2.FieldDescriptorProto
INT64_VALUE = ".google.protobuf.Int64Value"
MESSAGES = {
    "BatchingParameters": [
        ("max_batch_size", FIELD.TYPE_MESSAGE, INT64_VALUE),
        ("batch_timeout_micros", FIELD.TYPE_MESSAGE, INT64_VALUE),
        ("max_enqueued_batches", FIELD.TYPE_MESSAGE, INT64_VALUE),
        ("num_batch_threads", FIELD.TYPE_MESSAGE, INT64_VALUE),
        ("thread_pool_name", FIELD.TYPE_MESSAGE, ".google.protobuf.StringValue"),
        ("allowed_batch_sizes", FIELD.TYPE_INT64, "repeated"),
        ("pad_variable_length_inputs", FIELD.TYPE_BOOL, ""),
    ],
    "PrometheusConfig": [
        ("enable", FIELD.TYPE_BOOL, ""),
        ("path", FIELD.TYPE_STRING, ""),
    ],
    "MonitoringConfig": [
        ("prometheus_config", FIELD.TYPE_MESSAGE, ".test_serving_configs.PrometheusConfig"),
    ],
}


def public_message(name: str):
    """An empty message of one of `MESSAGES`; field numbers count from 1."""
    wrappers = descriptor_pb2.FileDescriptorProto.FromString(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="test_serving_configs.proto",
        package="test_serving_configs",
        syntax="proto3",
        dependency=[wrappers.name],
    )
    for message, fields in MESSAGES.items():
        definition = file.message_type.add(name=message)
        for number, (field, kind, detail) in enumerate(fields, 1):
            repeated = detail == "repeated"
            definition.field.add(
                name=field,
                number=number,
                type=kind,
                label=FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL,
                type_name=detail if kind == FIELD.TYPE_MESSAGE else None,
            )
    return message_factory.GetMessages([wrappers, file])[f"test_serving_configs.{name}"]()


def parsed(file: str, message):
    return text_format.Parse((DEPLOY / file).read_text(), message)


@pytest.fixture(scope="module")
def service() -> dict:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert list(compose["services"]) == ["serving"]
    return compose["services"]["serving"]


def flags(service: dict) -> dict[str, str]:
    return dict(flag.removeprefix("--").split("=", 1) for flag in service["command"])


def mounts(service: dict) -> dict[str, dict]:
    return {mount["target"]: mount for mount in service["volumes"]}


def client_default(name: str):
    return inspect.signature(ReidClient).parameters[name].default


def test_models_are_where_the_compose_file_puts_them(service):
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert model.name == client_default("model")
    assert model.base_path in mounts(service)
    assert model.model_platform == "tensorflow"
    assert model.model_version_policy.latest.num_versions == 2


def test_a_clients_request_fits_a_batch():
    batching = parsed("batching.config", public_message("BatchingParameters"))
    assert batching.max_batch_size.value >= client_default("batch_size")
    assert 0 < batching.batch_timeout_micros.value < 100_000
    assert batching.max_enqueued_batches.value > 0
    assert batching.num_batch_threads.value > 0


def test_metrics_are_on():
    monitoring = parsed("monitoring.config", public_message("MonitoringConfig"))
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path.startswith("/")


@pytest.mark.parametrize("message", ["BatchingParameters", "MonitoringConfig"])
def test_an_unknown_field_would_be_found(message):
    with pytest.raises(text_format.ParseError):
        text_format.Parse("max_batch_sise { value: 1 }", public_message(message))


def test_flags_name_the_mounted_files(service):
    named = {Path(value) for name, value in flags(service).items() if name.endswith("_file")}
    assert len(named) == 3
    assert {path.parent for path in named} == {Path("/config")}
    assert all((DEPLOY / path.name).is_file() for path in named)
    assert mounts(service)["/config"]["source"] == "."
    assert set(flags(service)) == {
        "model_config_file",
        "model_config_file_poll_wait_seconds",
        "file_system_poll_wait_seconds",
        "enable_batching",
        "batching_parameters_file",
        "monitoring_config_file",
    }


def test_the_container_is_closed_to_others(service):
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert all(mount["read_only"] for mount in service["volumes"])
    model = mounts(service)["/models/reid"]
    assert re.fullmatch(r"\$\{MODEL_BASE:\?[^}]+\}", model["source"])
    assert model["bind"] == {"create_host_path": False}
    assert client_default("address") == "127.0.0.1:8500"


@pytest.mark.parametrize(("state", "status"), [("AVAILABLE", 0), ("LOADING", 1), (None, 1)])
def test_the_health_check_asks_for_the_models_state(service, state, status):
    """Runs the container's command here, against a server that answers as TensorFlow Serving."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = f'{{"model_version_status": [{{"version": "1", "state": "{state}"}}]}}'
            self.send_response(200 if state else 404)
            self.end_headers()
            self.wfile.write(body.encode() if state else b'{"error": "Could not find"}')

        def log_message(self, *details):
            """Says nothing."""

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kind, *command = service["healthcheck"]["test"]
        assert kind == "CMD"
        port = str(server.server_address[1])
        command = [part.replace("8501", port) for part in command]
        result = subprocess.run(command, timeout=10, check=False)
        server.shutdown()
    assert result.returncode == status
    assert asked == ["/v1/models/reid"]


@pytest.mark.slow
def test_warm_up_requests_are_of_the_configured_model(dgd_run):
    file = dgd_run / "export" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(file))]
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    assert 0 < len(logs) <= 1000  # TensorFlow Serving refuses more
    requests = [log.predict_log.request for log in logs]
    assert {request.model_spec.name for request in requests} == {client_default("model")}
    assert {request.model_spec.signature_name for request in requests} == {DEFAULT, EXPLAIN}
    for request in requests:
        images = tf.make_ndarray(request.inputs["image_bytes"])
        assert 0 < len(images) <= client_default("batch_size")
        assert all(decode_image(image).shape[-1] == 3 for image in images)
