"""One version of a SavedModel, loaded: reads requests by its signatures and computes answers."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import message
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from tfreid.errors import DataError
from tfreid.serving.refused import listed
from tfreid.serving.server.refusal import invalid, listed_names, quoted

DEFAULT_SIGNATURE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
MAX_WARMUP_REQUESTS = 1_000
"""TensorFlow Serving reads no more either."""

_IMAGES, _DESCRIPTOR = "image_bytes", "embedding"
_NO_PIXEL = 1e6  # far outside of [0, 255], where resizing may leave it, and far from overflowing
_INITIALISER = "__saved_model_init_op"  # written by TensorFlow itself, not meant for requests


class Servable:
    """A loaded version that has computed its warm-up requests.

    Attributes:
      version: number of the version.
      signature_defs: signature -> names, dtypes and shapes, all that `saved_model.pb` lists.
    """

    def __init__(self, path: Path, version: int):
        """Loads a version and runs `assets.extra/tf_serving_warmup_requests` if it has any.

        Args:
          path: folder of the version.
          version: its number.

        Raises:
          DataError: if it is no model from image files to descriptors. What TensorFlow raises on
            damaged files is passed on.
        """
        self.version = version
        self.signature_defs = dict(_serving_graph(path).signature_def)
        _check_exported(path, self.signature_defs)
        for name in self._callable_names():
            _check_batched(name, self.signature_defs[name])
        self._model = tf.saved_model.load(str(path))
        for request in _warmup_requests(path):
            signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
            self.compute(signature, self.read(signature, request.inputs))

    def read(
        self,
        signature: str,
        inputs: Mapping[str, tensor_pb2.TensorProto],
        max_images: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Checks the inputs of a request against a signature and unpacks them.

        Args:
          signature: name of the signature.
          inputs: by name.
          max_images: largest leading dimension.

        Returns:
          Arrays by name, all of one leading dimension, that of the images.

        Raises:
          Refusal: INVALID_ARGUMENT, if they do not fit.
        """
        wanted = self._definition(signature).inputs
        if inputs.keys() != wanted.keys():
            raise invalid(
                f"signature {signature!r}: expected the inputs {listed_names(wanted)}, "
                f"found {listed_names(inputs)}"
            )
        arrays = {
            name: _unpack(f"input {name!r} of signature {signature!r}", proto, wanted[name])
            for name, proto in _within(inputs, max_images).items()
        }
        if len({len(array) for array in arrays.values()}) > 1:
            raise invalid(f"signature {signature!r}: the inputs differ in their number of images")
        return arrays

    def output_names(self, signature: str, wanted: list[str]) -> list[str]:
        """Returns the outputs to send: those `wanted`, or all if none is named.

        Raises:
          Refusal: INVALID_ARGUMENT, if the signature does not have one of them.
        """
        outputs = self._definition(signature).outputs
        unknown = set(wanted) - outputs.keys()
        if unknown:
            raise invalid(
                f"signature {quoted(signature)} has no output {listed_names(unknown)}; it has "
                f"{listed_names(outputs)}"
            )
        return wanted or sorted(outputs)

    def compute(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
          signature: name of the signature.
          inputs: arrays `[images, ...]` by name, as `read` gives them.

        Returns:
          Arrays `[images, ...]` by the names of the outputs.

        Raises:
          tf.errors.OpError: if an operation fails, on an undecodable image for example.
          DataError: if an output does not have one row for each image.
        """
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        computed = self._model.signatures[signature](**tensors)
        outputs = {name: tensor.numpy() for name, tensor in computed.items()}
        images = len(next(iter(inputs.values())))
        for name, array in outputs.items():
            if array.shape[:1] != (images,):
                raise DataError(
                    f"output {name!r} of signature {signature!r} has the shape {array.shape} for "
                    f"{images} images: expected that number as the first dimension"
                )
        return outputs

    def _callable_names(self) -> list[str]:
        return sorted(self.signature_defs.keys() - {_INITIALISER})

    def _definition(self, signature: str) -> meta_graph_pb2.SignatureDef:
        names = self._callable_names()
        if signature not in names:
            raise invalid(
                f"version {self.version} has no signature {quoted(signature)}; it has "
                f"{listed_names(names)}"
            )
        return self.signature_defs[signature]


def faults(inputs: Mapping[str, np.ndarray], fault_of: Callable[[bytes], str]) -> str:
    """Names the image files of a request that are refused.

    Args:
      inputs: arrays by name; strings are taken for image files.
      fault_of: says what is wrong with a file, or nothing.

    Returns:
      As `listed` writes it; nothing if all are good.
    """
    complaints = []
    for name, array in inputs.items():
        if array.dtype == object:
            found = {place: fault_of(file) for place, file in enumerate(array)}
            complaints.append(listed(name, {place: text for place, text in found.items() if text}))
    return "; ".join(filter(None, complaints))


def _serving_graph(path: Path) -> meta_graph_pb2.MetaGraphDef:
    try:
        saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    except message.DecodeError:
        raise DataError(f"{path / 'saved_model.pb'} is damaged") from None
    for graph in saved.meta_graphs:
        if tf.saved_model.SERVING in graph.meta_info_def.tags:
            return graph
    raise DataError(f"{path} is no SavedModel for serving: none of its graphs is tagged 'serve'")


def _check_exported(path: Path, signatures: Mapping[str, meta_graph_pb2.SignatureDef]) -> None:
    """Refuses other people's models, which would fail on the first request."""
    definition = signatures.get(DEFAULT_SIGNATURE, meta_graph_pb2.SignatureDef())
    if list(definition.inputs) != [_IMAGES] or _DESCRIPTOR not in definition.outputs:
        raise DataError(
            f"{path} is no model that python -m tfreid.export wrote: expected the signature "
            f"{DEFAULT_SIGNATURE!r} from {_IMAGES!r} to {_DESCRIPTOR!r}, found one from "
            f"{listed_names(definition.inputs)} to {listed_names(definition.outputs)}"
        )


def _check_batched(name: str, definition: meta_graph_pb2.SignatureDef) -> None:
    """Refuses what cannot be joined with the requests of others."""
    if not definition.inputs:
        raise DataError(f"signature {name!r} has no input: expected images")
    for key, info in definition.inputs.items():
        shape = _sizes(info.tensor_shape)
        if not shape or shape[0] != -1 or -1 in shape[1:]:
            raise DataError(
                f"input {key!r} of signature {name!r} has the shape {shape}: expected a free (-1) "
                "first dimension, the number of images, and fixed others"
            )


def _warmup_requests(path: Path) -> Iterator[predict_pb2.PredictRequest]:
    file = path / "assets.extra" / "tf_serving_warmup_requests"
    if not file.exists():
        return
    for record in tf.data.TFRecordDataset(str(file)).take(MAX_WARMUP_REQUESTS):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        if log.HasField("predict_log"):
            yield log.predict_log.request


def _within(
    inputs: Mapping[str, tensor_pb2.TensorProto], max_images: int | None
) -> Mapping[str, tensor_pb2.TensorProto]:
    """Refuses too many images before they are unpacked; a short message can claim millions."""
    most = max((_sizes(proto.tensor_shape)[:1] or [0])[0] for proto in inputs.values())
    if max_images is not None and most > max_images:
        raise invalid(f"{most:,} images in one request: expected at most {max_images:,}")
    return inputs


def _unpack(
    what: str, proto: tensor_pb2.TensorProto, info: meta_graph_pb2.TensorInfo
) -> np.ndarray:
    shape, wanted = _sizes(proto.tensor_shape), _sizes(info.tensor_shape)
    fits = len(shape) == len(wanted) and shape[0] > 0 and shape[1:] == wanted[1:]
    if proto.dtype != info.dtype or not fits:
        raise invalid(
            f"{what}: expected {_dtype_and_shape(info.dtype, ['batch', *wanted[1:]])}, "
            f"found {_dtype_and_shape(proto.dtype, shape)}"
        )
    try:
        array = tf.make_ndarray(proto)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != tuple(shape) or (array.dtype == object and len(proto.string_val) < shape[0]):
        raise invalid(f"{what}: its values do not fill the shape {shape}")
    if array.dtype.kind == "f" and not (np.abs(array) < _NO_PIXEL).all():  # nor are NaNs
        raise invalid(f"{what}: expected pixels in [0, 255], found others")
    return array


def _sizes(shape: tensor_shape_pb2.TensorShapeProto) -> list[int]:
    return [dim.size for dim in shape.dim]


def _dtype_and_shape(dtype: int, shape: list) -> str:
    try:
        name = tf.dtypes.as_dtype(dtype).name
    except TypeError:
        name = f"dtype {dtype}"
    return f"{name} [{', '.join(map(str, shape))}]"
