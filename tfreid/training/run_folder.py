"""The folder of a run: what the run is, and that one process at a time trains into it."""

import contextlib
import fcntl
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.methods import METHODS
from tfreid.methods.recipe import to_json, without_former_fields
from tfreid.records import DatasetFolder, DatasetInfo

_RECIPE, _METRICS, _LOCK = "recipe.json", "metrics.json", ".lock"
_IDENTITY = ("method", "recipe", "seed", "precision", "data")


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps its files.

    Attributes:
      path: the folder.
    """

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def events(self) -> Path:
        """Folder of the TensorBoard events."""
        return self.path / "events"

    @contextlib.contextmanager
    def claim(self, description: Mapping[str, Any]) -> Iterator[None]:
        """Holds the folder for one run; writes `recipe.json` as long as nothing was saved.

        Args:
          description: from `describe`.

        Raises:
          UsageError: if another process trains into the folder, or it holds another run or
            something else.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / _LOCK, "a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"another process trains into {self.path} now: wait for it, stop it, or give "
                    "another --out"
                ) from None
            self._refuse_other_run(description)
            if not self._has_checkpoint():
                _write_json(self.path / _RECIPE, description)
            yield

    def write_infos(self, folders: Mapping[str, DatasetFolder]) -> None:
        """Keeps copies of the data sets' descriptions, from which the model can be rebuilt."""
        for kind, folder in folders.items():
            (self.path / "data" / kind).mkdir(parents=True, exist_ok=True)
            folder.info.write(self.path / "data" / kind)

    def read_info(self, kind: str) -> DatasetInfo:
        """Returns the description of the data set that the run was trained on."""
        return DatasetInfo.read(self.path / "data" / kind)

    def open_data(self, kind: str, path: str | Path | None = None) -> DatasetFolder:
        """Opens converted data: those that the run was trained on, unless others are given.

        Args:
          kind: of the records, `"reid"` or `"parsing"`.
          path: folder of other data.

        Raises:
          MissingPathError: if there is no run or no data set.
          UsageError: if the records are of another kind.
        """
        folder = DatasetFolder(path or self.read_recipe()["data"][kind]["path"])
        if folder.info.kind != kind:
            raise UsageError(
                f"{folder.path} holds {folder.info.kind} records and {kind} records are expected: "
                "give another --data"
            )
        return folder

    def read_recipe(self) -> dict[str, Any]:
        """Returns the contents of `recipe.json`, with the recipe's fields as they are called now.

        Raises:
          MissingPathError: if the folder holds no run.
          DataError: if `recipe.json` is damaged.
        """
        path = self.path / _RECIPE
        if not path.is_file():
            raise MissingPathError(
                f"{self.path} holds no run: there is no {_RECIPE}. Give the --out folder of "
                "python -m tfreid.train"
            )
        values = _read_json(path)
        missing = [name for name in _IDENTITY if name not in values]
        if missing:
            raise DataError(f"{path} lacks {', '.join(missing)}: it is not the recipe of a run")
        if method := METHODS.get(values["method"]):
            values["recipe"] = without_former_fields(method.recipe, values["recipe"], str(path))
        return values

    def init_from(self) -> dict[str, Any]:
        """Returns what `recipe.json` says of the run that this one starts from; empty without."""
        known = (self.path / _RECIPE).is_file()
        return self.read_recipe().get("init_from", {}) if known else {}

    def write_init_from(self, values: Mapping[str, Any]) -> None:
        """Replaces what `recipe.json` says of the run that this one starts from."""
        _write_json(self.path / _RECIPE, self.read_recipe() | {"init_from": dict(values)})

    def metrics(self) -> dict[str, Any]:
        """Returns the contents of `metrics.json`, empty when there is none yet."""
        path = self.path / _METRICS
        return _read_json(path) if path.exists() else {}

    def add_metrics(self, **sections: Any) -> None:
        """Replaces sections of `metrics.json`; the others stay."""
        _write_json(self.path / _METRICS, self.metrics() | sections)

    def is_finished(self) -> bool:
        """Returns whether the run is done, with everything that a run writes."""
        return bool(self.metrics().get("finished"))

    def files(self) -> list[Path]:
        """Returns what the run has written: the entries of its folder."""
        return sorted(p for p in self.path.iterdir() if not p.name.startswith("."))

    def _has_checkpoint(self) -> bool:
        return (self.checkpoints / "checkpoint").exists()

    def _refuse_other_run(self, description: Mapping[str, Any]) -> None:
        if not (self.path / _RECIPE).exists():
            others = [path.name for path in self.files()]
            if others:
                raise UsageError(
                    f"{self.path} is not the folder of a run and not empty (it holds "
                    f"{', '.join(others[:3])}): give another --out"
                )
            return
        if not self._has_checkpoint():
            return  # An attempt that failed at its start, for example without the weights it needs.
        there, now = (_flat(_identity(v)) for v in (self.read_recipe(), description))
        differing = [name for name in sorted(there | now) if there.get(name) != now.get(name)]
        if differing:
            listed = "; ".join(f"{n}: {there.get(n)} there, {now.get(n)} now" for n in differing)
            raise UsageError(
                f"{self.path} belongs to another run ({listed}). Give another --out, or the same "
                "settings to continue that run"
            )


def describe(
    method: str,
    recipe: Any,
    seed: int,
    precision: str,
    folders: Mapping[str, DatasetFolder],
    init_from: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns what `recipe.json` says: all that is needed to repeat a run.

    Args:
      method: name of the method.
      recipe: its settings.
      seed: of all randomness.
      precision: of the computation.
      folders: kind of records -> the converted folder that is read.
      init_from: path and digest of the run that this one starts from.
    """
    description = {
        "method": method,
        "recipe": to_json(recipe),
        "seed": seed,
        "precision": precision,
        "data": {
            kind: {"path": str(folder.path.resolve()), "fingerprint": folder.info.fingerprint}
            for kind, folder in folders.items()
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


def _identity(values: Mapping[str, Any]) -> dict[str, Any]:
    """What two commands must share to be one run; what they read may have moved, not changed."""
    identity = {name: values[name] for name in _IDENTITY}
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


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}") from error


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a file that appears whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
