"""The published ranking of torchreid and fast-reid, without the rest of them."""

import importlib
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from tfreid.errors import UsageError
from tfreid.retrieval import Identities

MODULES = {
    "torchreid": ("torchreid.metrics.rank", "torchreid.reid.metrics.rank"),
    "fastreid": ("fastreid.evaluation.rank",),
}
MAX_RANK = 50


@dataclass(frozen=True)
class Peer:
    """One of the implementations that a toolkit has.

    Attributes:
      toolkit: a key of `MODULES`.
      path: the folder that holds the toolkit's package.
      cython: its compiled implementation instead of the one in Python.
    """

    toolkit: str
    path: str
    cython: bool

    @property
    def name(self) -> str:
        """Toolkit, its version and which implementation."""
        return f"{version(self.toolkit, self.path)}, {'Cython' if self.cython else 'Python'}"

    def evaluate(
        self, distances: np.ndarray, query: Identities, gallery: Identities
    ) -> dict[str, np.ndarray]:
        """Returns `CMC` up to `MAX_RANK`, `mAP` and, where the toolkit has it, `mINP`."""
        module = _ranking_module(self.toolkit, self.path)
        identities = query.person, gallery.person, query.camera, gallery.camera
        figures = module.evaluate_rank(distances, *identities, MAX_RANK, use_cython=self.cython)
        cmc, *precisions = figures
        # Some versions give one value a query.
        means = [np.mean(values, dtype=np.float64) for values in precisions]
        return {"CMC": cmc, **dict(zip(("mAP", "mINP"), means, strict=False))}


def peers_in(toolkit: str, path: str) -> list[Peer]:
    """Returns the implementations of a toolkit that can be used here."""
    implementations = [Peer(toolkit, path, cython=False)]
    if _ranking_module(toolkit, path).IS_CYTHON_AVAI:
        implementations.insert(0, Peer(toolkit, path, cython=True))
    return implementations


def version(toolkit: str, path: str) -> str:
    """Returns a toolkit's name and the version that its package states."""
    text = (Path(path) / toolkit / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r"__version__ = ['\"](.+)['\"]", text)
    return f"{toolkit} {found[1]}" if found else toolkit


def _ranking_module(toolkit: str, path: str) -> ModuleType:
    """Imports one module, but not the packages around it, which want PyTorch."""
    for name in MODULES[toolkit]:
        *packages, module = name.split(".")
        if not Path(path, *packages, f"{module}.py").is_file():
            continue
        for depth in range(1, len(packages) + 1):
            package = ModuleType(".".join(packages[:depth]))
            package.__path__ = [str(Path(path, *packages[:depth]))]
            sys.modules.setdefault(package.__name__, package)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the compiled one is missing
            return importlib.import_module(name)
    expected = " or ".join(f"{name.replace('.', '/')}.py" for name in MODULES[toolkit])
    raise UsageError(
        f"--{toolkit}={path}: expected the folder that holds {expected}, as in a clone of the "
        "toolkit or where pip installed it"
    )
