"""A gRPC server that speaks TensorFlow Serving's protocol and answers as a script says."""

import hashlib
import threading
from collections.abc import Callable
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

WIDTH = 4
"""Values of a descriptor."""


def descriptor(image: bytes) -> np.ndarray:
    """What the server answers for an image: some numbers that only its bytes give."""
    values = np.frombuffer(hashlib.sha256(image).digest()[: 4 * WIDTH], np.uint32)
    return (values / 2**32).astype(np.float32)


def fail(code: grpc.StatusCode, details: str) -> Callable:
    """A step of a script that ends the request with a status."""

    def step(request, context):
        context.abort(code, details)

    return step


def answer(version: int = 1, **outputs: np.ndarray) -> Callable:
    """A step of a script that answers, with `outputs` in place of the right ones if given."""

    def step(request, context):
        images = request.inputs["image_bytes"].string_val
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        right = {"embedding": np.stack([descriptor(image) for image in images])}
        if request.model_spec.signature_name == "explain":
            right["activation"] = np.stack([np.full((2, 3), len(image)) for image in images])
        for name, value in (outputs or right).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    return step


class ScriptedServer(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Answers each Predict with the script's next step, and rightly when the script is over.

    Attributes:
      requests: every Predict request, in the order of their arrival.
    """

    def __init__(self, *script: Callable, options: tuple = (), port: int = 0):
        self.requests: list[predict_pb2.PredictRequest] = []
        self.specs = []
        self._script, self._lock = list(script), threading.Lock()
        self._server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *error):
        self._server.stop(None).wait()

    def Predict(self, request, context):
        with self._lock:
            self.requests.append(request)
            step = self._script.pop(0) if self._script else answer()
        return step(request, context)

    def GetModelStatus(self, request, context):
        if request.model_spec.name != "reid":
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.model_spec.name}")
        states = get_model_status_pb2.ModelVersionStatus
        return get_model_status_pb2.GetModelStatusResponse(
            model_version_status=[
                states(version=1, state=states.AVAILABLE),
                states(version=2, state=states.LOADING),
            ]
        )

    def GetModelMetadata(self, request, context):
        assert request.metadata_field == ["signature_def"]
        signatures = get_model_metadata_pb2.SignatureDefMap()
        output = signatures.signature_def["serving_default"].outputs["embedding"]
        output.dtype = tf.float32.as_datatype_enum
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signatures)
        return response


def sizes(server: ScriptedServer) -> list[int]:
    """Images in each request that arrived."""
    return [len(request.inputs["image_bytes"].string_val) for request in server.requests]
