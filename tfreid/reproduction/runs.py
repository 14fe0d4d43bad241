"""The runs behind a table: where they lie, what they train and test, whether they are done."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.recipe import to_json
from tfreid.records import DatasetFolder
from tfreid.reproduction.recipes import as_flag, resolve
from tfreid.reproduction.settings import KIND_FLAGS, Setting
from tfreid.reproduction.table import Row
from tfreid.training import RunFolder


@dataclass(frozen=True)
class Run:
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
    """

    store: Path
    method: str
    scale: str
    overrides: Mapping[str, Any]
    recipe: Any
    data: Mapping[str, DatasetFolder]
    test: DatasetFolder
    seed: int

    @property
    def family(self) -> Path:
        """Folder of the runs that differ in the seed alone; named after what they share."""
        shared = [
            self.method,
            to_json(self.recipe),
            {kind: folder.info.fingerprint for kind, folder in self.data.items()},
        ]
        digest = hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:10]
        trained_on = "-".join(folder.info.name for folder in self.data.values())
        return self.store / f"{self.method}-{trained_on}-{digest}"

    @property
    def path(self) -> Path:
        """Folder of the run."""
        return self.family / f"seed{self.seed}"

    @property
    def test_path(self) -> Path:
        """Folder of what its test gave."""
        info = self.test.info
        return self.path / "tests" / f"{info.name}-{info.fingerprint[:10]}"

    def is_trained(self) -> bool:
        """Returns whether the training is finished, and was with this recipe."""
        run = RunFolder(self.path)
        return run.is_finished() and run.read_recipe()["recipe"] == to_json(self.recipe)

    def evaluation(self) -> dict[str, Any] | None:
        """Returns what the test gave, None where it has not run."""
        return RunFolder(self.test_path).metrics().get("evaluation") if self.is_trained() else None

    def training_arguments(self) -> list[str]:
        """Returns the arguments of `tfreid.train`."""
        return [
            f"--method={self.method}",
            f"--scale={self.scale}",
            *(f"{KIND_FLAGS[kind]}={folder.path}" for kind, folder in self.data.items()),
            *(as_flag(name, value) for name, value in self.overrides.items()),
            f"--seed={self.seed}",
            f"--out={self.path}",
            "--noexport",
        ]

    def test_arguments(self) -> list[str]:
        """Returns the arguments of `tfreid.evaluate`."""
        return [f"--run={self.path}", f"--data={self.test.path}", f"--out={self.test_path}"]


def run_of(
    row: Row,
    setting: Setting,
    store: Path,
    *,
    scale: str,
    changes: Mapping[str, Any],
    seed: int,
) -> Run:
    """Returns the run behind a row.

    Raises:
      UsageError: if its recipe cannot be built, or there are no data for a stage.
    """
    train = setting.training_folder(row.copies)
    if train is None:
        raise UsageError(
            f"row {row.name!r} trains on data with {row.copies} copies of each training image "
            "before random backgrounds: convert the data set once more with "
            f"--offline_random_background={row.copies} and give the result as a further --data, "
            "or leave the row out with --rows"
        )
    recipe, overrides = resolve(row, scale, changes, train.info)
    folders = {**setting.others, train.info.kind: train}
    kinds = dict.fromkeys(stage.data for stage in METHODS[row.method].stages(recipe))
    for kind in kinds:
        if kind not in folders:
            raise UsageError(
                f"row {row.name!r} trains on {kind} records, too: give them as {KIND_FLAGS[kind]}"
            )
    return Run(
        store=store,
        method=row.method,
        scale=scale,
        overrides=overrides,
        recipe=recipe,
        data={kind: folders[kind] for kind in sorted(kinds, reverse=True)},
        test=setting.test,
        seed=seed,
    )
