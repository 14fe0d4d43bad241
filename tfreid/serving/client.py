"""Asks a model server for descriptors, over TensorFlow Serving's gRPC protocol."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfreid.errors import ServingError, UsageError
from tfreid.serving.calls import Caller, RefusedRequestError, TooLargeError
from tfreid.serving.image_list import Image, ImageList
from tfreid.serving.refused import RefusedImagesError, faults_of, found
from tfreid.serving.signatures import DEFAULT, EXPLAIN
from tfreid.serving.version_folders import MAX_VERSION

_ATTEMPTS = 3
_INPUT = "image_bytes"


@dataclass(frozen=True)
class _Answer:
    """The version of the model that answered one request, and its outputs by name."""

    version: int
    outputs: dict[str, np.ndarray]


class ReidClient:
    """A connection to one model of TensorFlow Serving or of `tfreid.serve`.

        with ReidClient("127.0.0.1:8500") as client:
            descriptors = client.embed(["a.jpg", "b.jpg"])

    Threads may share it. All descriptors of one call come from the same version of the model; name
    the `version` where descriptors of several calls are compared.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:8500",
        *,
        model: str = "reid",
        version: int | None = None,
        batch_size: int = 32,
        max_request_mib: float = 16.0,
        timeout_s: float = 30.0,
        retries: int = 4,
    ) -> None:
        """Prepares the connection; it is made with the first request.

        Args:
          address: `host:port` of the server's gRPC port.
          model: its name on the server.
          version: of the model; the newest that is ready unless given.
          batch_size: images in a request; TensorFlow Serving's `max_batch_size` is the limit.
          max_request_mib: MiB of image files in a request; a larger file goes alone.
          timeout_s: for a request, retries included.
          retries: attempts after the first when the server is not available; the pauses between
            them double from 0.1 s.

        Raises:
          UsageError: if a limit is not positive, or there can be no such version or address.
        """
        if "://" in address:
            raise UsageError(f"address {address}: expected host:port, such as 127.0.0.1:8500")
        if min(batch_size, max_request_mib, timeout_s) <= 0 or retries < 0:
            raise UsageError(
                "batch_size, max_request_mib and timeout_s must be positive, retries 0 or more: "
                f"found {batch_size}, {max_request_mib:g}, {timeout_s:g} and {retries}"
            )
        if version is not None and not 0 <= version <= MAX_VERSION:
            raise UsageError(f"version={version}: expected 0 to {MAX_VERSION}")
        self.address = address
        self._spec = model_pb2.ModelSpec(name=model)
        if version is not None:
            self._spec.version.value = version
        self._batch_size, self._max_request_bytes = batch_size, max_request_mib * 2**20
        self._caller = Caller(address, timeout_s, retries)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._caller.channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._caller.channel)

    def __enter__(self) -> "ReidClient":
        """Returns the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the connection."""
        self.close()

    def close(self) -> None:
        """Closes the connection and cancels what is under way."""
        self._caller.channel.close()

    def embed(self, images: Sequence[Image]) -> np.ndarray:
        """Computes the descriptors of images.

        Args:
          images: paths or bytes of JPEG, PNG or BMP files, each of at most 50 million pixels.

        Returns:
          float32 `[images, d]` of unit length, in the order of the images.

        Raises:
          MissingPathError: if there is no file under a path.
          RefusedImagesError: if images are refused; it names all of the list that are.
          ServingError: if the server is not there, too slow, or answers otherwise than expected.
        """
        return self._predict(images, DEFAULT, ["embedding"])["embedding"]

    def describe(self, images: Sequence[Image]) -> dict[str, np.ndarray]:
        """Computes all that the model tells of images.

        Args:
          images: paths or bytes of JPEG, PNG or BMP files, each of at most 50 million pixels.

        Returns:
          `embedding`, as `embed` gives it, and, of a model that is matched by reconstruction,
          `positions`, float32 `[images, N, d]`, each of unit length, and `foreground`, their
          weights, float32 `[images, N]`, of sum 1.

        Raises:
          MissingPathError: if there is no file under a path.
          RefusedImagesError: if images are refused; it names all of the list that are.
          ServingError: if the server is not there, too slow, or answers otherwise than expected.
        """
        return self._predict(images, DEFAULT)

    def explain(self, images: Sequence[Image]) -> dict[str, np.ndarray]:
        """Computes the descriptors of images and what the model looks at.

        Args:
          images: paths or bytes of JPEG, PNG or BMP files, each of at most 50 million pixels.

        Returns:
          `embedding`, float32 `[images, d]`, and each of the model's maps under its own name,
          float32 `[images, height, width]`.

        Raises:
          MissingPathError: if there is no file under a path.
          RefusedImagesError: if images are refused; it names all of the list that are.
          ServingError: if the server is not there, too slow, or answers otherwise than expected.
        """
        return self._predict(images, EXPLAIN)

    def status(self) -> dict[int, str]:
        """Returns the state of each version that the server knows, such as `{2: "AVAILABLE"}`.

        Raises:
          ServingError: if the server is not there or does not serve the model.
        """
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self._spec)
        versions = self._caller.call(self._models.GetModelStatus, request).model_version_status
        states = get_model_status_pb2.ModelVersionStatus.State
        return {version.version: states.Name(version.state) for version in versions}

    def signatures(self) -> dict[str, SignatureDef]:
        """Returns the inputs and outputs of each of the model's signatures.

        Raises:
          ServingError: if the server is not there or does not serve the model.
        """
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec, metadata_field=["signature_def"]
        )
        response = self._caller.call(self._prediction.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return dict(signatures.signature_def)

    def _predict(
        self, images: Sequence[Image], signature: str, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Asks for outputs of a signature; without names, for all of them."""
        images = ImageList(images)
        batches = list(self._batches(images))
        for _ in range(_ATTEMPTS):
            answers = self._ask_all(images, batches, signature, outputs)
            if len({answer.version for answer in answers}) == 1:
                names = answers[0].outputs
                return {name: np.concatenate([a.outputs[name] for a in answers]) for name in names}
        raise ServingError(
            f"{self.address} answers with one version of the model and then another: ask for one "
            "of them (version)"
        )

    def _batches(self, images: ImageList) -> Iterator[Sequence[int]]:
        """Yields the places of the images that share a request."""
        start, size = 0, 0
        for place in range(len(images)):
            more = images.size_bytes(place)
            full = place - start == self._batch_size or size + more > self._max_request_bytes
            if full and place > start:
                yield range(start, place)
                start, size = place, 0
            size += more
        yield range(start, len(images))

    def _ask_all(
        self,
        images: ImageList,
        batches: Sequence[Sequence[int]],
        signature: str,
        outputs: Sequence[str],
    ) -> list[_Answer]:
        """Asks for all batches, also after a refusal, so that it can name all refused images."""
        answers, reasons, waiting = [], {}, deque(batches)
        while waiting:
            batch = waiting.popleft()
            try:
                answers.append(self._ask(images, batch, signature, outputs))
            except RefusedImagesError as refused:
                reasons |= refused.reasons
                if rest := [place for place in batch if place not in reasons]:
                    waiting.appendleft(rest)
        if reasons:
            raise RefusedImagesError(reasons)
        return answers

    def _ask(
        self, images: ImageList, batch: Sequence[int], signature: str, outputs: Sequence[str]
    ) -> _Answer:
        request = predict_pb2.PredictRequest(model_spec=self._spec, output_filter=outputs)
        request.model_spec.signature_name = signature
        files = [images.read(place) for place in batch]
        request.inputs[_INPUT].CopyFrom(tf.make_tensor_proto(files, tf.string))
        for attempt in itertools.count(1):
            try:
                response = self._caller.call(self._prediction.Predict, request)
                return self._checked(response, len(batch))
            except TooLargeError as error:
                if len(batch) > 1:
                    raise
                faults = {0: str(error)}
            except RefusedRequestError as error:
                faults = found(_INPUT, str(error), len(files)) or faults_of(files)
                # Where TensorFlow Serving joins requests it refuses them all for one bad image,
                # and that may be somebody else's.
                if not faults and attempt == _ATTEMPTS:
                    raise
            if faults:
                named = {batch[nth]: fault for nth, fault in faults.items()}
                raise RefusedImagesError(
                    {place: f"{images.name(place)}: {fault}" for place, fault in named.items()}
                )

    def _checked(self, response: predict_pb2.PredictResponse, count: int) -> _Answer:
        """Returns a response's outputs if they are those of a model that `tfreid` exported."""
        outputs = {name: tf.make_ndarray(value) for name, value in response.outputs.items()}
        if "embedding" not in outputs:
            raise ServingError(
                f"{self.address} answered with {', '.join(sorted(outputs)) or 'nothing'} and not "
                "with an embedding: the model was not exported by tfreid"
            )
        shapes = {name: array.shape for name, array in outputs.items()}
        if any(shape[:1] != (count,) for shape in shapes.values()):
            raise ServingError(f"{self.address} answered {count} images with arrays of {shapes}")
        return _Answer(response.model_spec.version.value, outputs)
