"""A run: the folder that a training writes, what the training was told, and what came of it."""

import contextlib
import fcntl
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import keras

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.files import read_json, write_json
from tfreid.methods import METHODS
from tfreid.methods.base import Method, Stage
from tfreid.methods.recipe import as_begun, from_json
from tfreid.nn.network import Network
from tfreid.records import Records, RecordsInfo
from tfreid.training.building import build_model, main_data
from tfreid.training.checkpoints import restore_model
from tfreid.training.description import check_description, differences
from tfreid.training.saved_steps import saved_steps
from tfreid.typed import typed

_RECIPE, _METRICS, _LOCK = "recipe.json", "metrics.json", ".lock"


@dataclass(frozen=True)
class _KnownMetrics:
    """The sections of `metrics.json` that training and evaluation read; there may be others."""

    finished: bool = False
    stopped_early: dict[str, float] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    evaluations: dict[int, dict[str, Any]] = field(default_factory=dict)


class Run:
    """A training and its folder; each thing is read when it is first asked for.

    Attributes:
      path: the folder.
    """

    def __init__(self, path: str | Path, method: Method | None = None):
        """Names the folder; nothing is read yet.

        Args:
          path: the folder.
          method: of the run, if it is none of `METHODS`.
        """
        self.path = Path(path)
        self._method = method

    # ---- What it was told.

    @property
    def description(self) -> dict[str, Any]:
        """The contents of `recipe.json`.

        Raises:
          MissingPathError: if the folder holds no run.
          DataError: if `recipe.json` is damaged.
        """
        path = self.path / _RECIPE
        if not path.is_file():
            raise MissingPathError(
                f"{self.path} holds no run: there is no {_RECIPE}. Give the folder that "
                "python -m tfreid.train wrote"
            )
        values = read_json(path)
        try:
            check_description(values)
        except ValueError as error:
            raise DataError(f"{path} is not the recipe of a run ({error})") from error
        return values

    @cached_property
    def method(self) -> Method:
        """The method.

        Raises:
          MissingPathError: if the folder holds no run.
          DataError: if its method is not known, or another than the one that was given.
        """
        name = self.description["method"]
        method = self._method or METHODS.get(name)
        if method is None:
            raise DataError(
                f"{self.path} was trained with the method {name!r}, which is not one of "
                f"{', '.join(METHODS)}: give it, as Run(path, method=...)"
            )
        if method.name != name:
            raise DataError(
                f"{self.path} was trained with the method {name!r}, and {method.name!r} was given"
            )
        return method

    @cached_property
    def recipe(self) -> Any:
        """The method's settings; raises as `method`."""
        try:
            return from_json(self.method.recipe, self.description["recipe"])
        except UsageError as error:
            raise DataError(f"{self.path / _RECIPE}: {error}") from error

    @cached_property
    def info(self) -> RecordsInfo:
        """Description of the records that shaped the model."""
        return self.read_info(main_data(self.method, self.recipe))

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of training."""
        return self.method.stages(self.recipe)

    @property
    def stage(self) -> Stage:
        """The last stage: what the run is for."""
        return self.stages[-1]

    def open_data(self, kind: str, path: str | Path | None = None) -> Records:
        """Opens records: those that the run was trained on, unless others are given.

        Args:
          kind: of the records, `"reid"` or `"parsing"`.
          path: folder of other records.

        Raises:
          MissingPathError: if there is no run or no such folder.
          UsageError: if the records are of another kind, or neither given nor known.
        """
        trained_on = self.description["data"]
        if not path and kind not in trained_on:
            raise UsageError(
                f"{self.path} was trained on no {kind} records: say which to use (data)"
            )
        records = Records(path or trained_on[kind]["path"])
        if not records.serves(kind):
            raise UsageError(
                f"{records.path} holds {records.info.kind} records and {kind} records are "
                "expected: give other data"
            )
        return records

    # ---- What came of it.

    @cached_property
    def model(self) -> keras.Model:
        """The final model, or with a warning the latest when the run is not finished.

        Raises:
          MissingPathError: if the folder holds no run.
          DataError: if the run has no checkpoint, or it does not fit the recipe's model.
        """
        precision = self.description["precision"]
        model = build_model(self.method, self.recipe, self.info, precision)
        step = restore_model(self.checkpoints, model)
        total_steps = sum(stage.steps for stage in self.stages)
        if step < total_steps and not self.is_finished:
            print(
                f"warning: the run {self.path} is not finished: these are the weights of step "
                f"{step} of {total_steps}",
                file=sys.stderr,
            )
        return model

    @property
    def network(self) -> Network:
        """The model, and how the method gives it images; raises as `model`."""
        return Network(
            str(self.path),
            self.model,
            self.stage.inputs.image_size_px,
            self.method.flip_averaging,
        )

    @property
    def metrics(self) -> dict[str, Any]:
        """The contents of `metrics.json`, empty when there is none yet.

        Raises:
          DataError: if it is damaged.
        """
        path = self.path / _METRICS
        if not path.exists():
            return {}
        values = read_json(path, dict[str, Any])
        try:
            known = {section.name for section in fields(_KnownMetrics)} & values.keys()
            typed(_KnownMetrics, {name: values[name] for name in known})
        except ValueError as error:
            raise DataError(f"{path} is damaged: {error}") from error
        return values

    def add_metrics(self, **sections: Any) -> None:
        """Replaces sections of `metrics.json`; the others stay."""
        write_json(self.path / _METRICS, self.metrics | sections, checksum=True)

    @property
    def is_finished(self) -> bool:
        """Whether the run is done, with everything that it was to write."""
        return bool(self.metrics.get("finished"))

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def events(self) -> Path:
        """Folder of the TensorBoard events."""
        return self.path / "events"

    def files(self) -> list[Path]:
        """Returns what the run has written: the entries of its folder."""
        return sorted(p for p in self.path.iterdir() if not p.name.startswith("."))

    # ---- Writing it.

    def as_begun(self, recipe: Any) -> Any:
        """Returns a recipe; what the folder's run is too old to know stays as it was."""
        known = self._has_checkpoint() and (self.path / _RECIPE).exists()
        there = self.description if known else {}
        if not known or (self._method and self._method.name != there["method"]):
            return recipe
        recipe, former = as_begun(recipe, there["recipe"])
        said = ", ".join(f"{name}={value}" for name, value in former.items())
        if said:
            print(f"{self.path} was begun before its recipe had these fields; it keeps {said}")
        return recipe

    @contextlib.contextmanager
    def claim(self, description: Mapping[str, Any]) -> Iterator[None]:
        """Holds the folder for one training; writes `recipe.json` as long as nothing was saved.

        Args:
          description: from `run_description`.

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
                    "another folder (out)"
                ) from None
            self._refuse_other_run(description)
            if not self._has_checkpoint():
                write_json(self.path / _RECIPE, description, checksum=True)
            yield

    def write_infos(self, data: Mapping[str, Records]) -> None:
        """Keeps copies of the records' descriptions, from which the model can be rebuilt."""
        for kind, records in data.items():
            (self.path / "data" / kind).mkdir(parents=True, exist_ok=True)
            records.info.write(self.path / "data" / kind)

    def read_info(self, kind: str) -> RecordsInfo:
        """Returns what `write_infos` wrote of one kind of records."""
        return RecordsInfo.read(self.path / "data" / kind)

    def init_from(self) -> dict[str, Any]:
        """Returns what `recipe.json` says of the run that this one starts from; empty without."""
        known = (self.path / _RECIPE).is_file()
        return self.description.get("init_from", {}) if known else {}

    def write_init_from(self, values: Mapping[str, Any]) -> None:
        """Replaces what `recipe.json` says of the run that this one starts from."""
        description = self.description | {"init_from": dict(values)}
        write_json(self.path / _RECIPE, description, checksum=True)

    def _has_checkpoint(self) -> bool:
        return bool(saved_steps(self.checkpoints)) or (self.checkpoints / "checkpoint").exists()

    def _refuse_other_run(self, description: Mapping[str, Any]) -> None:
        if not (self.path / _RECIPE).exists():
            others = [path.name for path in self.files()]
            if others:
                raise UsageError(
                    f"{self.path} is not the folder of a run and not empty (it holds "
                    f"{', '.join(others[:3])}): give another folder (out)"
                )
            return
        if not self._has_checkpoint():
            return  # An attempt that failed at its start, for example without the weights it needs.
        method = self._method or METHODS.get(description["method"])
        differing = differences(self.description, description, method.recipe if method else None)
        if differing:
            raise UsageError(
                f"{self.path} belongs to another run ({'; '.join(differing)}). Give another folder "
                "(out), or the same settings to continue that run"
            )
