"""Opens networks of `.tflite` and `.onnx` files with the libraries that run them."""

import contextlib
import importlib
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfreid.errors import DataError, UsageError
from tfreid.quiet import filtered_stderr

_TFLITE = "a TFLite model"
_BEGINNINGS = (
    (b"PK\x03\x04", 0, "a ZIP archive, as .keras and TorchScript files are"),
    (b"\x89HDF", 0, "an HDF5 file, as .h5 files are"),
    (b"TFL3", 4, _TFLITE),
    (b"version https://git-lfs", 0, "a placeholder of Git LFS: get the file with git lfs pull"),
    (b"\x89PNG", 0, "a PNG image"),
    (b"\xff\xd8\xff", 0, "a JPEG image"),
    (b"<", 0, "a page or another file of tags, such as what a failed download leaves"),
    (b"\x80", 0, "a pickle, as PyTorch's older weights are"),
)
_SCHEMAS = ("tensorflow.lite.python.schema_py_generated", "ai_edge_litert.schema_py_generated")
_OPERATOR = re.compile(
    r"(?P<a>[\w.]+:\w+)\(-?\d+\) is not a registered function/op"
    r"|No Op registered for (?P<b>\w+)"
    r"|Could not find an implementation for (?P<c>\w+\(\d+\))"
)
_EXTERNAL = re.compile(r"external data|cannot get file size|open file", re.IGNORECASE)
_NO_MODEL = re.compile(r"Protobuf parsing failed|does not have a graph|No graph was found")
_NEWER = re.compile(r"Unsupported model IR version|\bopset\b.*(?:under development|till opset)")


def kind_of(path: Path) -> str | None:
    """Returns what a file is by its first bytes, in words, as far as they tell."""
    with open(path, "rb") as file:
        start = file.read(64)
    if not start:
        return "an empty file"
    return next((kind for mark, at, kind in _BEGINNINGS if start[at:].startswith(mark)), None)


def not_a(what: str, path: Path, reason: str) -> DataError:
    """Returns the error that a file is not what its name says, or is damaged."""
    kind = kind_of(path)
    return DataError(f"{path} is not {what}: " + (f"it is {kind}" if kind else reason))


def first_line(error: BaseException, longest: int = 300) -> str:
    """Returns what an error of a foreign runtime says, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= longest else f"{text[:longest]}..."


def tflite_interpreter(path: Path, threads: int | None = None) -> Any:
    """Opens a TFLite file with the first interpreter that has its operators.

    Args:
      path: the file.
      threads: that it may use; as many as it likes unless given.

    Raises:
      UsageError: if there is no interpreter.
      DataError: if none can open the file.
    """
    if kind_of(path) != _TFLITE:
        raise not_a(_TFLITE, path, "its first bytes are others")
    _require_whole(path)
    makers = _makers()
    if not makers:
        raise UsageError(
            f"{path} needs an interpreter of TFLite, and this TensorFlow has none: pip install "
            "ai-edge-litert"
        )
    for make in makers:
        try:
            with filtered_stderr(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TensorFlow's will go, one day; see `_makers`.
                interpreter = make(model_path=str(path), num_threads=threads)
                interpreter.allocate_tensors()
            return interpreter
        except (ValueError, RuntimeError) as error:
            reason = first_line(error)
    hint = ": pip install ai-edge-litert may help" if len(makers) == 1 else ""
    raise DataError(f"{path} cannot be opened by TFLite ({reason}){hint}")


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


def _makers() -> list[Callable[..., Any]]:
    """TensorFlow's own interpreter, as long as it has one, and ai-edge-litert's if it is there."""
    import tensorflow as tf  # Only here: ONNX Runtime does without.

    makers = []
    with contextlib.suppress(AttributeError, ImportError):
        makers.append(tf.lite.Interpreter)
    with contextlib.suppress(ImportError):
        makers.append(importlib.import_module("ai_edge_litert.interpreter").Interpreter)
    return makers


def onnx_session(path: Path, threads: int = 0) -> Any:
    """Opens an ONNX file on the processor.

    Args:
      path: the file; weights that it keeps outside lie beside it.
      threads: that it may use; 0 for as many as it likes.

    Raises:
      UsageError: if ONNX Runtime is not installed.
      DataError: if it cannot open the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(
            f"{path} is computed by ONNX Runtime, which is not installed: pip install "
            "'tfreid[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
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
