"""Weights of `keras.applications`, downloaded or from a file, for backbones and pieces of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.nn.backbone import Backbone
from tfreid.nn.backbones import BACKBONES

_KINDS = (("convolutions", 4), ("batch normalisations", 1))
"""Kinds of layer, and the rank of their first array in a file."""


@dataclass(frozen=True)
class Report:
    """What `load_pretrained` took from a file.

    Attributes:
      path: the file.
      matched: its layers that were loaded, by their names in the file.
      unexpected: its other layers: those of the classifier and of stages that no backbone holds.
    """

    path: Path
    matched: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __str__(self):
        """Returns one line."""
        unused = f"; not used: {_some(self.unexpected)}" if self.unexpected else ""
        return f"loaded {len(self.matched)} layers of {self.path}{unused}"


def load_pretrained(backbones: Sequence[Backbone], weights: str) -> Report | None:
    """Sets the weights of backbones that are built, all or none.

    Each backbone gets those of the file's layers that it has; two of the same stages get the
    same. Layers are matched by name where the file has the names of `keras.applications`, else
    (Inception-V3's are numbered as they come) by order and count, as Keras does.

    Args:
      backbones: of one architecture, whole or pieces.
      weights: `none` to leave them as they are, `imagenet` for the file of `keras.applications`,
        which Keras downloads once, or the path of such a file, with the classifier or without:
        `.h5` or `.weights.h5`.

    Returns:
      What was loaded; None for `none`.

    Raises:
      UsageError: there are no ImageNet weights for these backbones.
      MissingPathError: there is no such file.
      DataError: the file cannot be downloaded or read, or does not fit the backbones.
    """
    if weights == "none":
        return None
    path = _download(backbones) if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise MissingPathError(
            f"weights={weights}: there is no such file; give 'imagenet', 'none' or the path of a "
            "weights file of keras.applications"
        )
    found = _read(path)
    values = [_fitting(backbone, found, path) for backbone in backbones]
    matched = set()
    for backbone, names in zip(backbones, values, strict=True):
        for ours, layer in backbone.named_layers().items():
            layer.set_weights(found[names[ours]])
            matched.add(names[ours])
    return Report(
        path,
        matched=tuple(name for name in found if name in matched),
        unexpected=tuple(name for name in found if name not in matched),
    )


def _download(backbones) -> Path:
    first = backbones[0]
    if first.imagenet is None or any(backbone.width != 1 for backbone in backbones):
        published = [name for name, backbone in BACKBONES.items() if backbone.imagenet]
        raise UsageError(
            f"weights=imagenet: there are none for {first.architecture} of width "
            f"{first.width:g}, only for {', '.join(published)} of width 1; "
            "give --recipe.weights=none or --recipe.weights=PATH"
        )
    url, file_hash = first.imagenet
    try:
        path = keras.utils.get_file(origin=url, file_hash=file_hash, cache_subdir="models")
    except Exception as error:  # Keras raises no narrower class.
        raise DataError(
            f"weights=imagenet: cannot download {url} ({error}); fetch it on a machine that can "
            "and give --recipe.weights=PATH, or start from random weights with "
            "--recipe.weights=none"
        ) from error
    return Path(path)


def _read(path) -> dict[str, list[np.ndarray]]:
    """Returns name -> arrays of the layers with weights, in the file's order."""
    expected = "expected an .h5 or .weights.h5 file of a keras.applications model"
    try:
        with h5py.File(path) as file:
            layers = dict(_saved_layers(file))
    except (OSError, KeyError) as error:
        raise DataError(f"{path} is not a weights file ({error}); {expected}") from error
    if not layers:
        raise DataError(f"{path} holds no layers of Keras; {expected}")
    return layers


def _saved_layers(file):
    """Yields name and arrays of each layer of either format of Keras."""
    if "layers" in file:  # .weights.h5, keyed by class and count
        for key in sorted(file["layers"], key=_natural):
            variables = file["layers"][key].get("vars", {})
            if len(variables):
                arrays = [variables[str(index)][()] for index in range(len(variables))]
                yield variables.attrs.get("name", key), arrays
        return
    file = file.get("model_weights", file)
    for name in _texts(file.attrs.get("layer_names", ())):
        arrays = [file[name][weight][()] for weight in _texts(file[name].attrs["weight_names"])]
        if arrays:
            yield name, arrays


def _texts(values) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _natural(key) -> tuple[str, int]:
    """Sorts conv2d, conv2d_1, ..., conv2d_10."""
    stem, number = re.fullmatch(r"(.*?)(?:_(\d+))?", key).groups()
    return stem, int(number or 0)


def _fitting(backbone, found, path) -> dict[str, str]:
    """Returns the backbone's names -> the file's, having checked that all its layers fit."""
    names = _names(backbone, found, path)
    wrong = []
    for ours, layer in backbone.named_layers().items():
        expected = [tuple(weight.shape) for weight in layer.weights]
        shapes = [array.shape for array in found[names[ours]]]
        if shapes != expected:
            wrong.append(f"{names[ours]} (expected {expected}, found {shapes})")
    if wrong:
        raise DataError(
            f"{path} does not fit {backbone.architecture} of width {backbone.width:g}: "
            f"{_some(wrong)} differ in shape"
        )
    return names


def _names(backbone, found, path) -> dict[str, str]:
    published = backbone.published_layers()
    if not published.keys() & found.keys():
        return _by_order(backbone, published, found, path)
    classifier = {name for name, arrays in found.items() if arrays[0].ndim == 2}
    missing = [name for name in published if name not in found]
    foreign = [name for name in found if name not in classifier | published.keys()]
    if missing or foreign:
        raise DataError(
            f"{path} holds another network than {backbone.architecture}: missing "
            f"{_some(missing)}; unexpected {_some(foreign)}"
        )
    return {name: name for name in published}


def _by_order(backbone, published, found, path) -> dict[str, str]:
    names = {}
    for kind, rank in _KINDS:
        ours = [name for name, layer in published.items() if _rank(layer) == rank]
        theirs = [name for name, arrays in found.items() if arrays[0].ndim == rank]
        if len(ours) != len(theirs):
            raise DataError(
                f"{path} holds another network than {backbone.architecture}: expected "
                f"{len(ours)} {kind}, found {len(theirs)} ({_some(theirs)})"
            )
        names |= zip(ours, theirs, strict=True)
    return names


def _rank(layer) -> int:
    return 1 if isinstance(layer, keras.layers.BatchNormalization) else 4


def _some(names, limit=4) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return (", ".join(names[:limit]) or "none") + more
