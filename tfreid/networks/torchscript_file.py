"""TorchScript files, computed by PyTorch where the user has it."""

import importlib
from pathlib import Path

import numpy as np

from tfreid.errors import DataError, UsageError
from tfreid.networks.foreign import ForeignModel
from tfreid.networks.model_file import facts_of
from tfreid.runtimes import first_line, kind_of, not_a

_NAMED = "output_{}"


def read_torchscript(path: Path, *, output: str | None = None) -> ForeignModel:
    """Opens a TorchScript file on the processor; it says nothing of its images.

    Args:
      path: the file, as `torch.jit.save` wrote it.
      output: `output_0`, `output_1`, ... of a model that gives a tuple, or a key of a dictionary.

    Raises:
      UsageError: if PyTorch is not installed.
      DataError: if it cannot open the file.
    """
    if not (kind_of(path) or "").startswith("a ZIP"):
        raise not_a("a TorchScript model", path, "its first bytes are others")
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        raise UsageError(
            f"{path} is computed by PyTorch, which is not installed: pip install torch, or export "
            "the model to ONNX"
        ) from None
    try:
        module = torch.jit.load(str(path), map_location="cpu").eval()
    except RuntimeError as error:
        said = first_line(error)
        if "constants.pkl" in said:
            said = "it holds weights and no model: trace it with torch.jit.trace and save that"
        raise DataError(f"{path} is not a TorchScript model: {said}") from None

    def run(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            found = module(torch.from_numpy(images))
        return _chosen(found, output, str(path)).detach().cpu().numpy()

    return ForeignModel(
        label=str(path),
        run=run,
        facts=facts_of("torchscript", path, output=output),
        usual_layout="nchw",
    )


def _chosen(found: object, output: str | None, label: str) -> object:
    """Returns one of a model's outputs."""
    if isinstance(found, dict):
        named = found
    elif isinstance(found, (tuple, list)):
        named = {_NAMED.format(place): value for place, value in enumerate(found)}
    else:
        named = {_NAMED.format(0): found}
    if output in named:
        return named[output]
    if output is None and len(named) == 1:
        return next(iter(named.values()))
    listed = "; ".join(f"{name} {list(value.shape)}" for name, value in named.items())
    raise UsageError(f"{label} gives {listed}: say which to take (output)")
