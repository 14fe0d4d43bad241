"""TFLite files, computed by TensorFlow's own interpreter or by ai-edge-litert."""

import contextlib
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, UsageError
from tfreid.networks.foreign import ForeignModel
from tfreid.networks.hosting import first_line
from tfreid.networks.model_file import choose, facts_of, kind_of, not_a, only_input

_SCHEMAS = ("tensorflow.lite.python.schema_py_generated", "ai_edge_litert.schema_py_generated")


def read_tflite(path: Path, *, output: str | None = None) -> ForeignModel:
    """Opens a TFLite file; whole numbers as input or output are converted as it says.

    Args:
      path: the file.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if there is no interpreter, or it is not clear what to take.
      DataError: if no interpreter can open the model.
    """
    if kind_of(path) != "a TFLite model":
        raise not_a("a TFLite model", path, "its first bytes are others")
    _require_whole(path)
    interpreter = _opened(path)
    inputs = {each["name"]: each for each in interpreter.get_input_details()}
    outputs = {each["name"]: each for each in interpreter.get_output_details()}
    shapes = {name: _shape(each) for name, each in outputs.items()}
    given = inputs[only_input(str(path), {name: _shape(each) for name, each in inputs.items()})]
    taken = outputs[choose("output", str(path), shapes, output)]
    shape = _shape(given)

    def run(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(given["index"], images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        return _dequantised(interpreter.get_tensor(taken["index"]), taken)

    return ForeignModel(
        label=str(path),
        run=run,
        facts=facts_of("tflite", path, input=given["name"], output=taken["name"]),
        input_shape=shape,
        dtype=np.dtype(given["dtype"]).name,
        quantisation=_quantisation(given),
        other_outputs={name: shapes[name] for name in shapes if name != taken["name"]},
    )


def _require_whole(path: Path) -> None:
    """Reads all of a file: the interpreter would read on beyond the end, and end the process."""
    for package in _SCHEMAS:
        try:
            schema = importlib.import_module(package)
        except ImportError:
            continue
        try:
            schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        except Exception as error:
            raise DataError(
                f"{path} is a damaged TFLite model ({first_line(error)}): get it again"
            ) from None
        return


def _opened(path: Path) -> Any:
    """Returns the first interpreter that has the operators of the model."""
    makers = _makers()
    if not makers:
        raise UsageError(
            f"{path} needs an interpreter of TFLite, and this TensorFlow has none: pip install "
            "ai-edge-litert"
        )
    for make in makers:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TensorFlow's will go, one day; see `_makers`.
                interpreter = make(model_path=str(path))
            interpreter.allocate_tensors()
            return interpreter
        except (ValueError, RuntimeError) as error:
            reason = first_line(error)
    hint = ": pip install ai-edge-litert may help" if len(makers) == 1 else ""
    raise DataError(f"{path} cannot be opened by TFLite ({reason}){hint}")


def _makers() -> list[Callable[..., Any]]:
    """TensorFlow's own interpreter, as long as it has one, and ai-edge-litert's if it is there."""
    makers = []
    with contextlib.suppress(AttributeError, ImportError):
        makers.append(tf.lite.Interpreter)
    with contextlib.suppress(ImportError):
        makers.append(importlib.import_module("ai_edge_litert.interpreter").Interpreter)
    return makers


def _shape(details: dict[str, Any]) -> tuple[int | None, ...]:
    """The shape with open dimensions; files without any have no signature of them."""
    dims = details.get("shape_signature", details["shape"])
    return tuple(None if length < 0 else int(length) for length in dims)


def _quantisation(details: dict[str, Any]) -> tuple[float, int] | None:
    scale, zero_point = details["quantization"]
    return (scale, zero_point) if scale else None


def _dequantised(values: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    quantisation = _quantisation(details)
    if quantisation is None:
        return values
    scale, zero_point = quantisation
    return (values.astype(np.float32) - zero_point) * np.float32(scale)
