"""The protocol: Predict, GetModelMetadata and GetModelStatus over gRPC."""

import asyncio

import grpc
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2 as metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2 as status_pb2
from tensorflow_serving.apis import (
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfreid.serving.refused import header_fault
from tfreid.serving.server.refusal import Refusal, invalid, listed_names, quoted
from tfreid.serving.server.servable import DEFAULT_SIGNATURE, Servable, faults
from tfreid.serving.server.versions import Versions
from tfreid.serving.server.worker import Worker

_METADATA = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods are not implemented.

    Args:
      name: the model's, which requests must give.
      versions: of the model.
      worker: computes.
      max_image_mpx: megapixels of the largest image.
    """

    def __init__(self, name: str, versions: Versions, worker: Worker, max_image_mpx: float):
        self._name = name
        self._max_image_mpx = max_image_mpx
        self._versions = versions
        self._worker = worker
        self._draining = False
        self._running: set[asyncio.Task] = set()

    async def drain(self, grace_s: float) -> None:
        """Answers the Predict requests that are here and refuses new ones with UNAVAILABLE.

        Left to gRPC, new ones would get CANCELLED, which does not say that one may try again.

        Args:
          grace_s: how long to wait for the answers.
        """
        self._draining = True
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)

    async def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.aio.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature; the response names the version that computed it."""
        if self._draining:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
        task = asyncio.current_task()  # it ends when the response is sent
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        servable = self._servable(request.model_spec)
        signature = _signature_name(request.model_spec)
        inputs = servable.read(signature, request.inputs, self._worker.max_queued_images)
        # Before they are decoded: a picture of gigabytes would keep everybody waiting.
        if text := faults(inputs, lambda file: header_fault(file, self._max_image_mpx)):
            raise invalid(text)
        names = servable.output_names(signature, list(request.output_filter))
        # Cancelled with this coroutine, that is by the client or at its deadline.
        outputs = await asyncio.wrap_future(self._worker.submit(servable, signature, inputs))
        response = predict_pb2.PredictResponse(model_spec=self._spec(servable))
        response.model_spec.signature_name = signature
        for name in names:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return response

    async def GetModelMetadata(
        self, request: metadata_pb2.GetModelMetadataRequest, context: grpc.aio.ServicerContext
    ) -> metadata_pb2.GetModelMetadataResponse:
        """Returns the names, dtypes and shapes of the signatures."""
        servable = self._servable(request.model_spec)
        if list(request.metadata_field) != [_METADATA]:
            raise invalid(
                f"metadata fields {listed_names(request.metadata_field)}: expected {_METADATA!r}"
            )
        response = metadata_pb2.GetModelMetadataResponse()
        response.model_spec.CopyFrom(self._spec(servable))
        signatures = metadata_pb2.SignatureDefMap(signature_def=servable.signature_defs)
        response.metadata[_METADATA].Pack(signatures)
        return response

    def _servable(self, spec: model_pb2.ModelSpec) -> Servable:
        _check_name(spec, self._name)
        if spec.version_label:
            raise invalid(f"version label {quoted(spec.version_label)}: this server has no labels")
        return self._versions.find(_version(spec))

    def _spec(self, servable: Servable) -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self._name)
        spec.version.value = servable.version
        return spec


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the configuration cannot be reloaded.

    Args:
      name: the model's, which requests must give.
      versions: of the model.
    """

    def __init__(self, name: str, versions: Versions):
        self._name = name
        self._versions = versions

    async def GetModelStatus(
        self, request: status_pb2.GetModelStatusRequest, context: grpc.aio.ServicerContext
    ) -> status_pb2.GetModelStatusResponse:
        """Returns the states of the versions, or of the one that the request names."""
        wanted = _version(request.model_spec)
        _check_name(request.model_spec, self._name)
        states = [s for s in self._versions.states() if wanted in (None, s.version)]
        if wanted is not None and not states:
            raise Refusal(grpc.StatusCode.NOT_FOUND, f"version {wanted} was never seen")
        return status_pb2.GetModelStatusResponse(model_version_status=states)


def _check_name(spec: model_pb2.ModelSpec, name: str) -> None:
    if spec.name != name:
        raise Refusal(
            grpc.StatusCode.NOT_FOUND, f"no model {quoted(spec.name)} is served here; {name!r} is"
        )


def _version(spec: model_pb2.ModelSpec) -> int | None:
    return spec.version.value if spec.HasField("version") else None


def _signature_name(spec: model_pb2.ModelSpec) -> str:
    return spec.signature_name or DEFAULT_SIGNATURE
