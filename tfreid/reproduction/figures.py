"""The figures of a table, from the runs that are there."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfreid.errors import UsageError
from tfreid.reproduction.plan import Reproduction
from tfreid.reproduction.runs import Tested
from tfreid.reproduction.settings import Setting
from tfreid.reproduction.table import TableRow


@dataclass(frozen=True)
class Figure:
    """One cell.

    Attributes:
      by_seed: seed to the value, a fraction; seeds without a value are not there.
      paper: the published value, a fraction, or None.
    """

    by_seed: Mapping[int, float]
    paper: float | None

    @property
    def mean(self) -> float | None:
        """Mean over the seeds."""
        return statistics.fmean(self.by_seed.values()) if self.by_seed else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over the seeds; None for fewer than two."""
        return statistics.stdev(self.by_seed.values()) if len(self.by_seed) > 1 else None


@dataclass(frozen=True)
class RowFigures:
    """One row.

    Attributes:
      row: what it trains.
      figures: heading of the column to the figure.
      runs: the finished runs behind it, by seed.
      planned: the run of seed 0, done or not; None where it cannot be run on these data.
    """

    row: TableRow
    figures: Mapping[str, Figure]
    runs: Sequence[Tested]
    planned: Tested | None


@dataclass(frozen=True)
class SettingFigures:
    """A table on one setting.

    Attributes:
      setting: the data.
      paper: data set that the published figures are of, None where the paper has none at all.
      rows: all rows of the table.
      chance_rank1: rank-1 of a random ranking, a fraction; None for parsing and if nothing ran.
      counts: of query and gallery images, empty for parsing and if nothing ran.
    """

    setting: Setting
    paper: str | None
    rows: Sequence[RowFigures]
    chance_rank1: float | None
    counts: Mapping[str, int]


def gather(plan: Reproduction) -> list[SettingFigures]:
    """Collects what all finished runs of a plan gave, of whatever seed.

    For data that the paper does not have, the published figures are those on the same test images,
    where there are any, else those of its first data set.
    """
    return [_gather(plan, setting) for setting in plan.settings]


def _gather(plan: Reproduction, setting: Setting) -> SettingFigures:
    paper = _nearest_published(plan.table.published, setting)
    rows, evaluations = [], []
    for row in plan.table.rows:
        planned = _planned(plan, row, setting)
        runs = _finished(plan, row, setting, planned.family) if planned else []
        found = {run.seed: run.evaluation() for run in runs}
        evaluations += found.values()
        rows.append(RowFigures(row, _figures(plan, row, paper, found), runs, planned))
    first = evaluations[0] if evaluations else {}
    return SettingFigures(setting, paper, rows, first.get("chance_rank1"), first.get("counts", {}))


def _nearest_published(published: Sequence[str], setting: Setting) -> str | None:
    tested = [name for name in published if name.endswith(f"→{setting.test.info.name}")]
    return setting.paper if setting.paper in published else next(iter((*tested, *published)), None)


def _planned(plan: Reproduction, row: TableRow, setting: Setting) -> Tested | None:
    try:
        return plan.run(row, setting, seed=0)
    except UsageError:
        return None  # Not a row that was asked for: those have been checked before anything ran.


def _finished(plan: Reproduction, row: TableRow, setting: Setting, family: Path) -> list[Tested]:
    seeds = sorted(int(p.name.removeprefix("seed")) for p in family.glob("seed*[0-9]"))
    runs = [plan.run(row, setting, seed) for seed in seeds]
    return [run for run in runs if run.evaluation() is not None]


def _figures(
    plan: Reproduction,
    row: TableRow,
    paper: str | None,
    evaluations: Mapping[int, Mapping[str, Any]],
) -> dict[str, Figure]:
    published = row.paper.get(paper, ())
    figures = {}
    for position, column in enumerate((*plan.table.columns, *plan.table.extra)):
        reranked = ".reranked" if row.rerank else ""
        path = column.figure.format(variant=f"{row.variant}{reranked}")
        found = {seed: _look_up(values, path) for seed, values in evaluations.items()}
        printed = published[position] if position < len(published) else None
        figures[column.heading] = Figure(
            {seed: value for seed, value in found.items() if value is not None},
            None if printed is None else round(printed / 100, 4),
        )
    return figures


def _look_up(values: Mapping[str, Any], path: str) -> float | None:
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
