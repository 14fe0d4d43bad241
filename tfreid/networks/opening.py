"""Opens what somebody has, as a network: a run, an export, a file of any format, a server."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfreid.errors import MissingPathError, UsageError
from tfreid.networks.callable_network import callable_network
from tfreid.networks.foreign import ForeignModel, network_of
from tfreid.networks.onnx_file import read_onnx
from tfreid.networks.presentation import PRESETS, Presentation
from tfreid.networks.served import ServedAddress, read_served, require_address
from tfreid.networks.tensorflow_model import read_keras, read_saved_model
from tfreid.networks.tflite_file import read_tflite
from tfreid.networks.torchscript_file import read_torchscript
from tfreid.nn.network import Network
from tfreid.serving import ServedModel
from tfreid.serving.export import EXTRA, FACTS
from tfreid.serving.version_folders import version_of
from tfreid.training import Run
from tfreid.zoo import MODELS, path_of

READERS: dict[str, Callable[..., ForeignModel]] = {
    ".onnx": read_onnx,
    ".tflite": read_tflite,
    ".keras": read_keras,
    ".pt": read_torchscript,
    ".torchscript": read_torchscript,
}
"""Ending of a file -> what reads it."""

_INSTEAD = {
    ".pth": "weights of PyTorch need the code of their model: save it with torch.jit.trace as .pt, "
    "or export it to ONNX",
    ".h5": "Keras may run code that lies in such files: open it where you trust it, save .keras",
    ".xml": "OpenVINO's format is not read here: convert from the ONNX or TensorFlow model that it "
    "was made of",
    ".engine": "TensorRT's files fit one GPU: give the ONNX model that it was made of",
    ".pb": "give the folder of the SavedModel instead",
}
"""Ending of a file that is not read -> what to do."""

_FACTS = Path(EXTRA) / FACTS

ACCEPTED = (
    "a run (tfreid.train), an export (tfreid.export), a SavedModel's folder, a file "
    f"({', '.join(READERS)}), grpc://host:port/model, or {', '.join(MODELS)} (tfreid.zoo)"
)


def open_network(
    model: str | Path | Network | Callable[..., Any],
    presentation: str | Presentation | None = None,
    *,
    name: str | None = None,
    signature: str | None = None,
    output: str | None = None,
    flip_averaging: bool | None = None,
    **otherwise: Any,
) -> Network:
    """Opens a network.

    Args:
      model: a path, an address, a name of `tfreid.zoo.MODELS`, a network, or a function of
        images; see `docs/networks.md`.
      presentation: how images are given to it, or the name of one of `PRESETS`. Our own runs and
        exports know. Others get what their file says, or else RGB in 0 to 255, unless given.
      name: tells it from other networks; the last part of its path unless given.
      signature: of a SavedModel or a server.
      output: of a model that has several.
      flip_averaging: average the descriptors of an image and of its mirror image; as the run says,
        and otherwise not, unless given.
      **otherwise: fields of `Presentation` that are to be otherwise; they must not contradict the
        model's own size and layout.

    Raises:
      MissingPathError: if there is nothing at the path.
      UsageError: if it is of no known format, or it is not clear what to take of it.
      DataError: if it is damaged, or its runtime cannot open it.
      ServingError: if a server does not answer.
    """
    said = {field: value for field, value in otherwise.items() if value is not None}
    chosen = {"signature": signature, "output": output}
    if isinstance(presentation, str):
        if presentation not in PRESETS:
            raise UsageError(
                f"preset={presentation!r} is not known: use one of {', '.join(PRESETS)}"
            )
        presentation = PRESETS[presentation]
    network = _opened(model, name, presentation, said, chosen)
    changes: dict[str, Any] = {} if name is None else {"name": name}
    if flip_averaging is not None:
        changes["flip_averaging"] = flip_averaging
    return dataclasses.replace(network, **changes)


def is_ours(model: str | Path) -> bool:
    """Whether a path is a run's or an export's, which know how images are given to them."""
    path = path_of(str(model)) or Path(model).expanduser()
    if not path.is_dir():
        return False
    marks = [path / "recipe.json", path / _FACTS]
    return any(mark.is_file() for mark in marks) or any(map(is_ours, _versions(path)[-1:]))


def _versions(path: Path) -> list[Path]:
    """The versions of a model in a folder, the newest last."""
    return sorted((p for p in path.iterdir() if version_of(p) is not None), key=version_of)


def _opened(
    model: str | Path | Network | Callable[..., Any],
    name: str | None,
    presentation: Presentation | None,
    said: Mapping[str, Any],
    chosen: Mapping[str, str | None],
) -> Network:
    if not isinstance(model, (str, Path)):
        if isinstance(model, Network):
            return _own(model, str(model.name), presentation, said, chosen)
        presentation = dataclasses.replace(presentation or Presentation(), **said)
        if presentation.image_size_px is None:
            raise UsageError("a function does not say the size of its images (image_size_px)")
        return callable_network(
            model, presentation.image_size_px, name=name, presentation=presentation
        )
    text = str(model)
    path = path_of(text) or Path(model).expanduser()
    if "://" in text or (not path.exists() and ServedAddress.parse(text)):
        foreign = read_served(require_address(text), **_given(chosen))
        return network_of(foreign, text.removeprefix("grpc://"), presentation, said)
    if not path.exists():
        raise MissingPathError(f"{path} does not exist: give {ACCEPTED}")
    if path.is_dir():
        return _of_folder(path, presentation, said, chosen)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        hint = _INSTEAD.get(path.suffix.lower(), f"give {ACCEPTED}")
        raise UsageError(f"{path} is of no format that is read here: {hint}")
    if chosen["signature"]:
        raise UsageError(f"{path} has no signatures (signature): leave it out")
    foreign = reader(path, output=chosen["output"])
    return network_of(foreign, path.name, presentation, said)


def _of_folder(
    path: Path,
    presentation: Presentation | None,
    said: Mapping[str, Any],
    chosen: Mapping[str, str | None],
) -> Network:
    """Opens a run, an export, the newest version of several, or a SavedModel."""
    if (path / "recipe.json").is_file():
        run = Run(path)
        if run.stage.data != "reid":
            raise UsageError(
                f"{path} is a run of a parsing network (method={run.method.name}), which gives no "
                "descriptors: give a run of another method"
            )
        return _own(run.network, str(path), presentation, said, chosen)
    if (path / _FACTS).is_file():
        served = ServedModel(path)
        network = Network(str(path), served, served.image_size_px)
        return _own(network, str(path), presentation, said, chosen)
    if (path / "saved_model.pb").is_file():
        foreign = read_saved_model(path, **_given(chosen))
        return network_of(foreign, path.name, presentation, said)
    for newest in _versions(path)[-1:]:
        return _of_folder(newest, presentation, said, chosen)
    raise UsageError(f"{path} holds no model: give {ACCEPTED}")


def _own(
    network: Network,
    label: str,
    presentation: Presentation | None,
    said: Mapping[str, Any],
    chosen: Mapping[str, str | None],
) -> Network:
    """Returns one of ours, which says itself how images are given to it."""
    if presentation or said or any(chosen.values()):
        given = ["presentation"] * bool(presentation) + [*said, *_given(chosen)]
        raise UsageError(f"{label} knows how images are given to it: leave {', '.join(given)} out")
    return network


def _given(chosen: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value is not None}
