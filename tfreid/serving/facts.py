"""What `serving.json` says of an exported model."""

import dataclasses
from pathlib import Path
from typing import Any

from tfreid.errors import DataError
from tfreid.files import read_json
from tfreid.typed import typed


@dataclasses.dataclass(frozen=True)
class Matching:
    """How position features are compared.

    Attributes:
      beta: of the reconstruction.
      patches: top, left, bottom, right of each position's patch, in pixels.
      distance: what they are compared by.
      features: output that has them.
      weights: output that has their weights.
    """

    beta: float
    patches: list[tuple[int, int, int, int]]
    distance: str = "reconstruction"
    features: str = "positions"
    weights: str = "foreground"


@dataclasses.dataclass(frozen=True)
class ServingFacts:
    """The fields of which this release knows the types; others may stand beside them.

    Attributes:
      image_size_px: height, width of the input.
      signatures: inputs and outputs of each.
      preprocessing: what the model does with image files.
      flip_averaging: whether mirror images are averaged in; of one network.
      combined: the networks, where there are several.
      distance: by which descriptors are compared.
      matching: by which position features are, where there are any.
      method: of the run, or of each run.
      data: of the training.
      versions: of the libraries.
      threshold: which distance means the same person; None where none could be told.
      reason: why there is none.
      open_set: beyond which distance a search finds nobody; None where that could not be told.
      open_set_reason: why not.
    """

    image_size_px: tuple[int, int]
    signatures: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    preprocessing: dict[str, Any] = dataclasses.field(default_factory=dict)
    flip_averaging: bool = False
    combined: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    distance: str = "cosine"
    matching: Matching | None = None
    method: str = ""
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    threshold: dict[str, Any] | None = None
    reason: str = ""
    open_set: dict[str, Any] | None = None
    open_set_reason: str = ""


def read_facts(path: Path) -> tuple[dict[str, Any], ServingFacts]:
    """Reads a `serving.json`.

    Returns:
      All that it says, as it stands there, and what this release knows of it.

    Raises:
      DataError: if it is damaged, was changed, or a field is of another type.
    """
    values = read_json(path, dict[str, Any])
    known = {field.name for field in dataclasses.fields(ServingFacts)}
    try:
        return values, typed(ServingFacts, {name: values[name] for name in values if name in known})
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}") from error
