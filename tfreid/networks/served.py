"""Models that a server of TensorFlow Serving's gRPC protocol computes."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tfreid.errors import ServingError, UsageError
from tfreid.networks.foreign import ForeignModel, Shape
from tfreid.networks.model_file import choose, only_input
from tfreid.networks.tensorflow_model import choose_signature, image_dtype
from tfreid.serving import ReidClient
from tfreid.serving.calls import Caller
from tfreid.serving.signatures import EMBED_IMAGES

_ADDRESS = re.compile(
    r"(?:grpc://)?(?P<address>(?:\[[0-9a-fA-F:]+\]|[\w.-]+):\d+)/(?P<model>[\w.-]+)"
    r"(?::(?P<version>\d+))?"
)
_MOST_IMAGES, _MOST_BYTES = 32, 8 * 2**20
"""In a request; servers limit both, and more are not faster."""

_TIMEOUT_S, _RETRIES = 60.0, 4
"""For a request, its retries included; and those where the server is not available."""


@dataclass(frozen=True)
class ServedAddress:
    """Where a model is served: `host:port`, its name there, and the version, if one is named."""

    address: str
    model: str
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> "ServedAddress | None":
        """Reads `[grpc://]host:port/model[:version]`; None if the text is no such thing."""
        found = _ADDRESS.fullmatch(text)
        if not found:
            return None
        version = found["version"]
        return cls(found["address"], found["model"], int(version) if version else None)


def read_served(
    where: ServedAddress,
    *,
    signature: str | None = None,
    output: str | None = None,
) -> ForeignModel:
    """Asks a server what it serves.

    Args:
      where: the address.
      signature: to call; of exports of ours the one for pixels, and else the only one or
        TensorFlow's default one, unless given.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if it is not clear what to take.
      ServingError: if the server is not there, or does not serve the model.
    """
    label = f"{where.address}/{where.model}"
    with ReidClient(
        where.address,
        model=where.model,
        version=where.version,
        timeout_s=_TIMEOUT_S,
        retries=_RETRIES,
    ) as client:
        signatures = client.signatures()
    if signature is None and EMBED_IMAGES in signatures:
        signature = EMBED_IMAGES
    name = choose_signature(label, signatures, signature)
    definition: SignatureDef = signatures[name]
    inputs, outputs = _shapes(definition.inputs), _shapes(definition.outputs)
    given = only_input(label, inputs)
    taken = choose("output", label, outputs, output)
    dtype = image_dtype(label, tf.as_dtype(definition.inputs[given].dtype), sorted(signatures))
    facts = {"format": "server", "file": label, "signature": name, "output": taken}
    return ForeignModel(
        label=label,
        run=_Predictions(where, label, name, given, taken),
        facts=facts | ({} if where.version is None else {"version": where.version}),
        input_shape=inputs[given],
        dtype=dtype,
        other_outputs={other: shape for other, shape in outputs.items() if other != taken},
    )


class _Predictions:
    """Images to what the server answers: uint8 or float32 `[B, ...]` -> `[B, ...]`."""

    def __init__(self, where: ServedAddress, label: str, signature: str, given: str, taken: str):
        caller = Caller(where.address, _TIMEOUT_S, _RETRIES)
        stub = prediction_service_pb2_grpc.PredictionServiceStub(caller.channel)
        self._call = functools.partial(caller.call, stub.Predict)
        self._where, self._label, self._signature = where, label, signature
        self._given, self._taken = given, taken

    def __call__(self, images: np.ndarray) -> np.ndarray:
        step = max(1, min(_MOST_IMAGES, _MOST_BYTES // images[0].nbytes))
        starts = range(0, len(images), step)
        return np.concatenate([self._ask(images[start : start + step]) for start in starts])

    def _ask(self, images: np.ndarray) -> np.ndarray:
        request = predict_pb2.PredictRequest(output_filter=[self._taken])
        request.model_spec.name = self._where.model
        request.model_spec.signature_name = self._signature
        if self._where.version is not None:
            request.model_spec.version.value = self._where.version
        request.inputs[self._given].CopyFrom(tf.make_tensor_proto(images))
        answer = self._call(request)
        if self._taken not in answer.outputs:
            raise ServingError(f"{self._label} answered without {self._taken}")
        return tf.make_ndarray(answer.outputs[self._taken])


def _shapes(tensors: Mapping[str, object]) -> dict[str, Shape | None]:
    return {name: _shape(info.tensor_shape) for name, info in tensors.items()}


def _shape(shape: tensor_shape_pb2.TensorShapeProto) -> Shape | None:
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)


def require_address(text: str) -> ServedAddress:
    """Returns the address that a text names.

    Raises:
      UsageError: if it names none.
    """
    where = ServedAddress.parse(text)
    if where is None:
        raise UsageError(
            f"{text} is no address of a model: give grpc://host:port/model or, for one version, "
            "grpc://host:port/model:version, with the gRPC port of TensorFlow Serving"
        )
    return where
