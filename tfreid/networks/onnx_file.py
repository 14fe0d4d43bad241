"""ONNX files, computed by ONNX Runtime."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfreid.errors import DataError, UsageError
from tfreid.networks.foreign import ForeignModel, Shape
from tfreid.networks.hosting import first_line
from tfreid.networks.model_file import choose, facts_of, not_a, only_input

_DTYPES = {"float": "float32", "float16": "float16", "double": "float64", "uint8": "uint8"}
_OPERATOR = re.compile(
    r"(?P<a>[\w.]+:\w+)\(-?\d+\) is not a registered function/op"
    r"|No Op registered for (?P<b>\w+)"
    r"|Could not find an implementation for (?P<c>\w+\(\d+\))"
)
_EXTERNAL = re.compile(r"external data|cannot get file size|open file", re.IGNORECASE)
_NO_MODEL = re.compile(r"Protobuf parsing failed|does not have a graph|No graph was found")
_NEWER = re.compile(r"Unsupported model IR version|\bopset\b.*(?:under development|till opset)")


def read_onnx(path: Path, *, output: str | None = None) -> ForeignModel:
    """Opens an ONNX file on the processor.

    Args:
      path: the file; weights that it keeps outside lie beside it.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if ONNX Runtime is not installed, or it is not clear what to take.
      DataError: if ONNX Runtime cannot open the model.
    """
    session = _opened(path)
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


def _opened(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(
            f"{path} is computed by ONNX Runtime, which is not installed: pip install "
            "'tfreid[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # What it has to say is in its exceptions too.
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _explained(path, first_line(error, 2000)) from None


def _explained(path: Path, text: str) -> DataError:
    """Returns ONNX Runtime's error in words that say what to do."""
    if _NO_MODEL.search(text):
        return not_a("an ONNX model", path, "its contents are damaged or something else")
    if found := _OPERATOR.search(text):
        operator = next(filter(None, found.groups()))
        return DataError(
            f"{path} needs the operator {operator}, which ONNX Runtime does not have: export it "
            "with standard operators (of the domain ai.onnx)"
        )
    if _EXTERNAL.search(text):
        missing = re.search(r"[\w./-]+\.\w+(?=[\]\"' ]|$)", text.split("path does not exist")[-1])
        name = Path(missing[0]).name if missing else "a file"
        return DataError(
            f"{path} keeps its weights in another file, which is not beside it ({name}): put it "
            "there, under the name that it had"
        )
    said = re.sub(r"^\[ONNXRuntimeError\].*?failed:\s*", "", text)
    said = re.sub(r"^/\S+:\d+ .*?\)(?= [A-Z])\s*", "", said)
    hint = ": a newer onnxruntime may open it, or export it for an older opset"
    return DataError(
        f"{path} cannot be opened by ONNX Runtime ({said[-300:]})"
        + (hint if _NEWER.search(text) else "")
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
        if len(values) == 3:
            told[name] = tuple(map(float, values))
    reverse = metadata.get("model_info reverse_input_channels", "").lower()
    if told and reverse in ("true", "yes", "false", "no"):
        told["colours"] = "rgb" if reverse in ("true", "yes") else "bgr"
    return told
