"""Runs a network of a `.tflite` or `.onnx` file on one core, one image at a time.

Threads are left to whoever starts workers: a network that takes all cores gains nothing there.
"""

import functools
import os
import threading
from pathlib import Path

import numpy as np

from tfreid.errors import DataError, MissingPathError
from tfreid.runtimes import first_line, onnx_session, tflite_interpreter

Shape = tuple[int | None, ...]

_LOADING = threading.Lock()


class FileNetwork:
    """A network of a file with one input.

    Args:
      path: a `.tflite` or `.onnx` file.

    Attributes:
      input_shape: of the input; None where a size is open.
      outputs: name of each output -> its shape, in the file's order.

    Raises:
      MissingPathError: if there is no such file.
      UsageError: if the library that runs such files is not installed.
      DataError: if it is no such network, or has several inputs.
    """

    def __init__(self, path: str):
        if not Path(path).is_file():
            raise MissingPathError(f"no network at {path}: there is no such file")
        session = (_Onnx if path.lower().endswith(".onnx") else _Lite)(path)
        if len(session.inputs) != 1:
            raise DataError(
                f"{path} has {len(session.inputs)} inputs: expected a network that takes an image"
            )
        self.path = path
        self.input_shape: Shape = session.inputs[0]
        self.outputs: dict[str, Shape] = session.outputs
        self._session = session
        self._running = threading.Lock()

    def __call__(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the network; calls of several threads follow each other.

        Args:
          pixels: float32 of `input_shape`.

        Returns:
          Name of each output -> its values.

        Raises:
          DataError: if the network fails.
        """
        try:
            with self._running:
                return dict(zip(self.outputs, self._session.run(pixels), strict=True))
        except Exception as error:  # Each library raises its own.
            raise DataError(f"{self.path} fails: {first_line(error)}") from error


def file_network(path: str) -> FileNetwork:
    """Opens a network, once in each process unless the file changes; raises as `FileNetwork`."""
    changed = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
    with _LOADING:
        return _opened(path, changed)


@functools.lru_cache(maxsize=4)
def _opened(path: str, changed: int) -> FileNetwork:
    return FileNetwork(path)


class _Lite:
    """TFLite's interpreter."""

    def __init__(self, path: str):
        self._lite = tflite_interpreter(Path(path), threads=1)
        self._input = self._lite.get_input_details()
        self._output = self._lite.get_output_details()
        self.inputs = [tuple(map(int, each["shape"])) for each in self._input]
        self.outputs = {each["name"]: tuple(map(int, each["shape"])) for each in self._output}

    def run(self, pixels: np.ndarray) -> list[np.ndarray]:
        self._lite.set_tensor(self._input[0]["index"], pixels)
        self._lite.invoke()
        return [self._lite.get_tensor(each["index"]) for each in self._output]


class _Onnx:
    """ONNX Runtime, an extra."""

    def __init__(self, path: str):
        self._session = onnx_session(Path(path), threads=1)
        inputs = self._session.get_inputs()
        self._input = inputs[0].name if inputs else ""
        self.inputs = [_sizes(each.shape) for each in inputs]
        self.outputs = {each.name: _sizes(each.shape) for each in self._session.get_outputs()}

    def run(self, pixels: np.ndarray) -> list[np.ndarray]:
        return self._session.run(None, {self._input: pixels})


def _sizes(shape: list) -> Shape:
    """A size that is open has a name or none."""
    return tuple(size if isinstance(size, int) else None for size in shape)
