"""The parsing network of a run, for commands that make masks."""

import functools
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfreid.errors import UsageError
from tfreid.methods.parsing import Parser
from tfreid.methods.parsing.masks import ImageParser
from tfreid.records.images import RejectedError
from tfreid.training.run import Run

_LOADING = threading.Lock()


def load_parser(path: str | Path) -> ImageParser:
    """Loads the parsing network of a run.

    Args:
      path: folder of the run, of `--method=parsing` or of a method that has a parsing network.

    Raises:
      UsageError: if the run has no parsing network.
      MissingPathError, DataError: as for `Run.model`.
    """
    run = Run(path)
    network = run.model if isinstance(run.model, Parser) else getattr(run.model, "parser", None)
    if network is None:
        raise UsageError(
            f"the run {path} of {run.method.name} has no parsing network: give a run of "
            "method=parsing, or of a method that learns to parse"
        )
    return ImageParser(network, getattr(run.recipe, "parsing", run.recipe).image_size_px)


@dataclass(frozen=True)
class RunParser:
    """Makes masks with the parsing network of a run.

    It can be sent to other processes; each loads the network once.

    Attributes:
      run: folder of the run.
      vocabulary: of the masks.
    """

    run: str
    vocabulary: str

    @classmethod
    def of(cls, path: str | Path) -> "RunParser":
        """Loads the network of a run.

        Raises:
          UsageError, MissingPathError, DataError: as for `load_parser`.
        """
        run = str(Path(path).expanduser().resolve())
        return cls(run, _loaded(run).vocabulary)

    def __call__(self, image: bytes) -> np.ndarray:
        """Parses one image, so that its mask is the same whatever comes before and after it.

        Args:
          image: contents of a JPEG, PNG or BMP file.

        Returns:
          Class indices, uint8 `[height, width]` of the image's size.

        Raises:
          RejectedError: if TensorFlow cannot decode the image.
        """
        (mask,) = _loaded(self.run).parse([image])
        if isinstance(mask, RejectedError):
            raise mask
        return mask


def _loaded(run: str) -> ImageParser:
    with _LOADING:
        return _load(run)


_load = functools.lru_cache(maxsize=1)(load_parser)
