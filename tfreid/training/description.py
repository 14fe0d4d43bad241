"""What `recipe.json` says of a run: all that is needed to repeat it, and to tell it from others."""

import contextlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from tfreid.errors import UsageError, require
from tfreid.methods.recipe import from_json, to_json
from tfreid.records import Records
from tfreid.training.arithmetic import DEFAULT, Arithmetic
from tfreid.typed import typed

REQUIRED = ("method", "recipe", "seed", "precision", "data")


@dataclass(frozen=True)
class DataFacts:
    """What `recipe.json` says of records: their folder, and what changes with their contents."""

    path: str
    fingerprint: str


@dataclass(frozen=True)
class StartFacts:
    """What it says of the run that this one starts from; see `tfreid.training.transfer`."""

    path: str = ""
    digest: str = ""
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Description:
    """The fields of `recipe.json`."""

    method: str
    recipe: dict[str, Any]
    seed: int
    precision: str
    data: dict[str, DataFacts]
    versions: dict[str, str] = field(default_factory=dict)
    init_from: StartFacts = field(default_factory=StartFacts)
    accumulate_steps: int = 1
    deterministic: bool = True

    def __post_init__(self) -> None:
        require(self.seed >= 0, f"seed={self.seed}: expected 0 or more")
        Arithmetic(self.precision, self.accumulate_steps, self.deterministic)


def check_description(values: Any) -> None:
    """Raises a `ValueError` unless values can be the contents of `recipe.json`."""
    typed(_Description, values)


def run_description(
    method: str,
    recipe: Any,
    seed: int,
    arithmetic: Arithmetic,
    data: Mapping[str, Records],
    init_from: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the contents of `recipe.json`.

    Args:
      method: name of the method.
      recipe: its settings.
      seed: of all randomness.
      arithmetic: how its updates are computed.
      data: kind of records -> the records that are read.
      init_from: path and digest of the run that this one starts from.
    """
    description = {
        "method": method,
        "recipe": to_json(recipe),
        "seed": seed,
        **asdict(arithmetic),
        "data": {
            kind: {"path": str(records.path.resolve()), "fingerprint": records.info.fingerprint}
            for kind, records in data.items()
        },
        "versions": versions(),
    }
    return description | ({"init_from": dict(init_from)} if init_from else {})


def versions() -> dict[str, str]:
    """Returns the versions that results depend on."""
    packages = ("tfreid", "tensorflow", "keras", "numpy")
    return {name: metadata.version(name) for name in packages} | {
        "python": platform.python_version()
    }


def differences(
    there: Mapping[str, Any], now: Mapping[str, Any], recipe_type: type | None = None
) -> list[str]:
    """Says in which settings two descriptions are not of one run.

    Args:
      there: the description of the run in the folder, perhaps written by an earlier release.
      now: that of the run that is to be continued.
      recipe_type: of the method, whose defaults stand for fields that `there` did not have yet.
    """
    old, new = _flat(_identity(there, recipe_type)), _flat(_identity(now, None))
    return [
        f"{name}: {old.get(name)} there, {new.get(name)} now"
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def identity(description: Mapping[str, Any]) -> str:
    """Returns what commands must share to be one run, as a text."""
    return json.dumps(_identity(description, None), sort_keys=True)


def _identity(values: Mapping[str, Any], recipe_type: type | None) -> dict[str, Any]:
    """What two commands must share to be one run; what they read may have moved, not changed."""
    identity = {name: values[name] for name in REQUIRED}
    for name, default in asdict(DEFAULT).items():
        identity[name] = values.get(name, default)  # An earlier release did not write all of them.
    if recipe_type is not None:
        with contextlib.suppress(UsageError):  # Of another method: the fields differ anyway.
            identity["recipe"] = to_json(from_json(recipe_type, values["recipe"]))
    identity["data"] = {kind: data["fingerprint"] for kind, data in values["data"].items()}
    identity["init_from"] = values.get("init_from", {}).get("digest")
    return identity


def _flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{path}{name}.")
        else:
            flat[path + name] = value
    return flat
