"""A table on certain data at a certain scale: which runs that takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfreid.reproduction.runs import Tested, run_of
from tfreid.reproduction.settings import Setting
from tfreid.reproduction.table import Table, TableRow


@dataclass(frozen=True)
class Reproduction:
    """What to reproduce.

    Attributes:
      table: of a paper.
      settings: the data.
      store: folder of the runs, which all tables share.
      scale: `"paper"` or `"demo"`, the recipes to start from.
      changes: fields of the recipes, and their values; what a row sets itself stays.
      command: what repeats it.
    """

    table: Table
    settings: Sequence[Setting]
    store: Path
    scale: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""

    @property
    def is_synthetic(self) -> bool:
        """Whether any of the images were drawn by the synthetic generator."""
        return any(setting.is_synthetic for setting in self.settings)

    def run(self, row: TableRow, setting: Setting, seed: int) -> Tested:
        """Returns the run behind a row, or the combination of several.

        Raises:
          UsageError: if its recipe cannot be built, or there are no data for a stage.
        """
        return run_of(
            row,
            setting,
            self.store,
            scale=self.scale,
            changes=self.changes,
            seed=seed,
            average_precision=self.table.average_precision if self.table.data == "reid" else "mean",
        )
