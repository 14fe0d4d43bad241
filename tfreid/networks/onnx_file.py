"""ONNX files, computed by ONNX Runtime."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfreid.errors import UsageError
from tfreid.networks.foreign import ForeignModel, Shape
from tfreid.networks.model_file import choose, facts_of, only_input
from tfreid.runtimes import onnx_session

_DTYPES = {"float": "float32", "float16": "float16", "double": "float64", "uint8": "uint8"}


def read_onnx(path: Path, *, output: str | None = None) -> ForeignModel:
    """Opens an ONNX file on the processor.

    Args:
      path: the file; weights that it keeps outside lie beside it.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if ONNX Runtime is not installed, or it is not clear what to take.
      DataError: if ONNX Runtime cannot open the model.
    """
    session = onnx_session(path)
    inputs = {value.name: _shape(value.shape) for value in session.get_inputs()}
    outputs = {value.name: _shape(value.shape) for value in session.get_outputs()}
    given = only_input(str(path), inputs)
    taken = choose("output", str(path), outputs, output)
    kind = re.sub(r"tensor\((.*)\)", r"\1", session.get_inputs()[0].type)
    if kind not in _DTYPES:
        raise UsageError(f"{path} takes {kind} and no images: {', '.join(_DTYPES)} are known")

    def run(images: np.ndarray) -> np.ndarray:
        return session.run([taken], {given: images})[0]

    return ForeignModel(
        label=str(path),
        run=run,
        facts=facts_of("onnx", path, input=given, output=taken),
        input_shape=inputs[given],
        dtype=_DTYPES[kind],
        other_outputs={name: shape for name, shape in outputs.items() if name != taken},
        told=_told(session.get_modelmeta().custom_metadata_map),
    )


def _shape(dims: Sequence[Any]) -> Shape:
    """A shape whose open dimensions have names, or none."""
    return tuple(length if type(length) is int and length > 0 else None for length in dims)


def _told(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What OpenVINO's tools say in a file of how images are given.

    `model_info` of its Model API, where `reverse_input_channels` says that OpenCV's BGR is turned
    into RGB before the model.
    """
    told: dict[str, Any] = {}
    for key, name in (("mean_values", "mean"), ("scale_values", "deviation")):
        values = metadata.get(f"model_info {key}", "").split()
        with contextlib.suppress(ValueError):  # What is no number says nothing.
            numbers = tuple(map(float, values))
            told |= {name: numbers} if len(numbers) == 3 else {}
    reverse = metadata.get("model_info reverse_input_channels", "").lower()
    if told and reverse in ("true", "yes", "false", "no"):
        told["colours"] = "rgb" if reverse in ("true", "yes") else "bgr"
    return told
