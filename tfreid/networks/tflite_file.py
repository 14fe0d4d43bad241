"""TFLite files, computed by TensorFlow's own interpreter or by ai-edge-litert."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from tfreid.networks.foreign import ForeignModel
from tfreid.networks.model_file import choose, facts_of, only_input
from tfreid.runtimes import tflite_interpreter


def read_tflite(path: Path, *, output: str | None = None) -> ForeignModel:
    """Opens a TFLite file; whole numbers as input or output are converted as it says.

    Args:
      path: the file.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if there is no interpreter, or it is not clear what to take.
      DataError: if no interpreter can open the model.
    """
    interpreter = tflite_interpreter(path)
    inputs = {each["name"]: each for each in interpreter.get_input_details()}
    outputs = {each["name"]: each for each in interpreter.get_output_details()}
    shapes = {name: _shape(each) for name, each in outputs.items()}
    given = inputs[only_input(str(path), {name: _shape(each) for name, each in inputs.items()})]
    taken = outputs[choose("output", str(path), shapes, output)]
    shape = _shape(given)
    turn = threading.Lock()  # An interpreter has one place for what it is given and computes.

    def run(images: np.ndarray) -> np.ndarray:
        with turn:
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
