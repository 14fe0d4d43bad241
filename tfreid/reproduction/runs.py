"""The runs behind a table: where they lie, what they train and test, whether they are done."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.recipe import to_json
from tfreid.records import Records
from tfreid.reproduction.recipes import as_flag, resolve
from tfreid.reproduction.settings import KIND_ARGUMENTS, Setting
from tfreid.reproduction.table import TableRow
from tfreid.training import Run


class Tested(ABC):
    """One or more trained models, and how they do together on certain data."""

    test: Records
    seed: int
    rerank: bool
    matching: str = ""
    average_precision: str = "mean"
    weights: tuple[int, ...] = ()

    @property
    @abstractmethod
    def family(self) -> Path:
        """Folder of what differs in the seed alone; named after what that shares."""

    @abstractmethod
    def trainings(self) -> list["Training"]:
        """Returns the trainings behind it, in the order in which they must run."""

    @abstractmethod
    def tested_runs(self) -> list["Training"]:
        """Returns the runs whose descriptors are tested, joined if there are several."""

    @property
    def path(self) -> Path:
        """Folder of this seed."""
        return self.family / f"seed{self.seed}"

    @property
    def test_path(self) -> Path:
        """Folder of what the test gave."""
        info = self.test.info
        how = [
            *([self.matching] if self.matching else []),
            *(["reranked"] if self.rerank else []),
            *([self.average_precision] if self.average_precision != "mean" else []),
            *(["weights", *map(str, self.weights)] if self.weights else []),
        ]
        return self.path / "tests" / "-".join([info.name, info.fingerprint[:10], *how])

    def evaluation(self) -> dict[str, Any] | None:
        """Returns what the test gave, None where it or a training has not run."""
        if not all(run.is_trained() for run in self.tested_runs()):
            return None
        return Run(self.test_path).metrics.get("evaluation")

    def test_arguments(self) -> list[str]:
        """Returns the arguments of `tfreid.evaluate`."""
        return [
            *(f"--run={run.path}" for run in self.tested_runs()),
            f"--data={self.test.path}",
            f"--out={self.test_path}",
            *([f"--matching={self.matching}"] if self.matching else []),
            *(["--rerank"] if self.rerank else []),
            *(
                [f"--average_precision={self.average_precision}"]
                if self.average_precision != "mean"
                else []
            ),
            *([f"--run_weights={','.join(map(str, self.weights))}"] if self.weights else []),
        ]


@dataclass(frozen=True)
class Training(Tested):
    """One training and its test. Rows of any table with the same recipe and data share it.

    Attributes:
      store: folder of all runs.
      method: name of the method.
      scale: recipe to start from.
      overrides: fields in which the recipe departs from it.
      recipe: the outcome.
      data: kind of records to the folder that is trained on.
      test: folder that is tested on.
      seed: of the training.
      start: the run whose weights the training starts from.
      rerank: whether the test re-ranks, too.
      matching: how the test compares position features; empty where there are none.
      average_precision: that the test computes.
    """

    store: Path
    method: str
    scale: str
    overrides: Mapping[str, Any]
    recipe: Any
    data: Mapping[str, Records]
    test: Records
    seed: int
    start: "Training | None" = None
    rerank: bool = False
    matching: str = ""
    average_precision: str = "mean"

    @property
    def family(self) -> Path:
        """Folder of the runs that differ in the seed alone; `Tested.family`."""
        shared = [
            self.method,
            to_json(self.recipe),
            {kind: folder.info.fingerprint for kind, folder in self.data.items()},
            *([self.start.family.name] if self.start else []),
        ]
        trained_on = "-".join(folder.info.name for folder in self.data.values())
        return self.store / f"{self.method}-{trained_on}-{_digest(shared)}"

    def trainings(self) -> list["Training"]:
        """Returns the run after those that it starts from; `Tested.trainings`."""
        return [*(self.start.trainings() if self.start else []), self]

    def tested_runs(self) -> list["Training"]:
        """Returns the run; `Tested.tested_runs`."""
        return [self]

    def is_trained(self) -> bool:
        """Returns whether the training is finished, and was with this recipe."""
        run = Run(self.path)
        return run.is_finished and to_json(run.recipe) == to_json(self.recipe)

    def training_arguments(self) -> list[str]:
        """Returns the arguments of `tfreid.train`."""
        return [
            f"--method={self.method}",
            f"--scale={self.scale}",
            *(f"--{KIND_ARGUMENTS[kind]}={folder.path}" for kind, folder in self.data.items()),
            *([f"--init_from={self.start.path}"] if self.start else []),
            *(as_flag(name, value) for name, value in self.overrides.items()),
            f"--seed={self.seed}",
            f"--out={self.path}",
            "--noexport",
        ]


@dataclass(frozen=True)
class Combination(Tested):
    """Several runs whose descriptors are joined.

    Attributes:
      store: folder of all runs.
      runs: in the order of their descriptors.
      test: folder that is tested on.
      seed: of the trainings.
      rerank: whether the test re-ranks, too.
      average_precision: that the test computes.
      weights: of each run's cosine; the same for all unless given.
    """

    store: Path
    runs: tuple[Training, ...]
    test: Records
    seed: int
    rerank: bool = False
    average_precision: str = "mean"
    weights: tuple[int, ...] = ()

    @property
    def family(self) -> Path:
        """Folder of the combinations that differ in the seed alone; `Tested.family`."""
        return self.store / f"combined-{_digest([run.family.name for run in self.runs])}"

    def trainings(self) -> list[Training]:
        """Returns those of all its runs; `Tested.trainings`."""
        return [training for run in self.runs for training in run.trainings()]

    def tested_runs(self) -> list[Training]:
        """Returns its runs; `Tested.tested_runs`."""
        return list(self.runs)


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:10]


def run_of(
    row: TableRow,
    setting: Setting,
    store: Path,
    *,
    scale: str,
    changes: Mapping[str, Any],
    seed: int,
    average_precision: str = "mean",
) -> Tested:
    """Returns the run behind a row, or the combination of several.

    Raises:
      UsageError: if its recipe cannot be built, or there are no data for a stage.
    """

    def of(other: TableRow, changes: Mapping[str, Any] = changes) -> Any:
        return run_of(other, setting, store, scale=scale, changes=changes, seed=seed)

    tested = {"test": setting.test, "seed": seed, "rerank": row.rerank}
    tested["average_precision"] = average_precision
    if row.combines:
        return Combination(store, tuple(map(of, row.combines)), **tested, weights=row.weights)
    train = setting.test if row.after else setting.training_folder(row.copies)
    _check_training_data(row, train)
    recipe, overrides = resolve(row, scale, changes, train.info)
    folders = {**setting.others, train.info.kind: train}
    kinds = dict.fromkeys(stage.data for stage in METHODS[row.method].stages(recipe))
    for kind in kinds:
        if kind not in folders:
            raise UsageError(
                f"row {row.name!r} trains on {kind} records: give some ({KIND_ARGUMENTS[kind]})"
            )
    start = of(row.after) if row.after else None
    if start is None and not getattr(recipe, "train_parser", True):
        start = of(_parser(row, recipe, overrides), {})
    return Training(
        store=store,
        method=row.method,
        scale=scale,
        overrides=overrides,
        recipe=recipe,
        data={kind: folders[kind] for kind in sorted(kinds, reverse=True)},
        start=start,
        matching=row.matching,
        **tested,
    )


def _parser(row: TableRow, recipe: Any, overrides: Mapping[str, Any]) -> TableRow:
    """The parser that a row starts from, where its recipe trains none itself."""
    own = {"architecture": recipe.parsing.architecture}
    for name, value in overrides.items():
        if name.startswith("parsing."):
            own[name.removeprefix("parsing.")] = value
    return TableRow(f"{row.name}: parser", "parsing", own)


def _check_training_data(row: TableRow, train: Records | None) -> None:
    if train is None:
        raise UsageError(
            f"row {row.name!r} trains on data with {row.copies} copies of each training image "
            "before random backgrounds: convert the data set once more with "
            f"--offline_random_background={row.copies} and give the result as further data (data), "
            "or leave the row out (rows)"
        )
    if "train" not in train.info.splits:
        raise UsageError(
            f"row {row.name!r} trains on the training images of {train.path}, which has none: "
            "convert the data set with its training split"
        )
