"""The figures of a table, from the runs that are there."""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfreid.errors import UsageError
from tfreid.reproduction.plan import Reproduction
from tfreid.reproduction.published_data import PublishedData
from tfreid.reproduction.runs import Tested
from tfreid.reproduction.settings import Setting
from tfreid.reproduction.table import TableRow


@dataclass(frozen=True)
class Figure:
    """One cell.

    Attributes:
      by_seed: seed to the value, a fraction; seeds without a value are not there.
      paper: the published value in percent, as printed, or None.
    """

    by_seed: Mapping[int, float]
    paper: str | None

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
    """A table on one setting, or on all splits of one data set.

    Attributes:
      setting: the data; those of the first split where there are several.
      name: of the setting, for readers.
      paper: data set that the published figures are of; None where none are of these data.
      why_not: where they are of none, why.
      rows: all rows of the table.
      splits: number of splits that the figures are the mean of.
      chance_rank1: rank-1 of a random ranking, a fraction; None for parsing and if nothing ran.
      counts: of query and gallery images, empty for parsing and if nothing ran.
    """

    setting: Setting
    name: str
    paper: str | None
    why_not: str
    rows: Sequence[RowFigures]
    splits: int
    chance_rank1: float | None
    counts: Mapping[str, int]


def gather(plan: Reproduction) -> list[SettingFigures]:
    """Collects what all finished runs of a plan gave, of whatever seed.

    Settings that differ in the split alone are followed by the mean over their splits. Published
    figures are there where they are of the same data, protocol and number of splits.
    """
    alone = [_gather(plan, setting) for setting in plan.settings]
    groups: dict[tuple, dict[tuple, SettingFigures]] = {}
    for figures in alone:
        if split := _split(figures.setting):
            key = (split.index, split.seed)
            groups.setdefault(_without_split(figures.setting), {})[key] = figures
    means = [_over_splits(plan, [*group.values()]) for group in groups.values() if len(group) > 1]
    return alone + means


def _gather(plan: Reproduction, setting: Setting) -> SettingFigures:
    paper, why_not = _published(plan, setting, 1)
    rows, evaluations = [], []
    for row in plan.table.rows:
        planned = _planned(plan, row, setting)
        runs = _finished(plan, row, setting, planned.family) if planned else []
        found = {run.seed: run.evaluation() for run in runs}
        evaluations += found.values()
        rows.append(RowFigures(row, _figures(plan, row, paper, found), runs, planned))
    first = evaluations[0] if evaluations else {}
    chance, counts = first.get("chance_rank1"), first.get("counts", {})
    return SettingFigures(setting, setting.name, paper, why_not, rows, 1, chance, counts)


def _published(plan: Reproduction, setting: Setting, splits: int) -> tuple[str | None, str]:
    """Returns the data set of published figures that are of these data, or why there is none."""
    reasons = {}
    for data in map(PublishedData.of, plan.table.published):
        reasons[data.name] = reason = data.mismatch(setting, splits)
        if not reason:
            return data.key, ""
    return None, reasons.get(setting.test.info.name) or next(iter(reasons.values()), "")


def _split(setting: Setting):
    source = setting.test.info.sources.get(setting.test.info.name)
    return source.split if source and source.split and source.split.of > 1 else None


def _without_split(setting: Setting) -> tuple:
    source = setting.test.info.sources[setting.test.info.name]
    names = (setting.train.info.name, setting.test.info.name)
    return (*names, source.protocol, *sorted(source.options.items()))


def _over_splits(plan: Reproduction, parts: Sequence[SettingFigures]) -> SettingFigures:
    """The mean over splits, of the seeds that all of them have."""
    first = parts[0]
    paper, why_not = _published(plan, first.setting, len(parts))
    rows = []
    for of_row in zip(*(part.rows for part in parts), strict=True):
        printed = dict(zip(plan.table.headings, of_row[0].row.paper.get(paper, ()), strict=False))
        figures = {
            heading: Figure(
                _mean_by_seed([row.figures[heading].by_seed for row in of_row]),
                printed.get(heading),
            )
            for heading in of_row[0].figures
        }
        runs = [run for row in of_row for run in row.runs]
        rows.append(replace(of_row[0], figures=figures, runs=runs, planned=None))
    info = first.setting.test.info
    name = f"{info.name}, mean over {len(parts)} of {_split(first.setting).of} splits"
    return replace(
        first, name=name, paper=paper, why_not=why_not, rows=rows, splits=len(parts), counts={}
    )


def _mean_by_seed(parts: Sequence[Mapping[int, float]]) -> dict[int, float]:
    shared = set(parts[0]).intersection(*parts[1:])
    return {seed: statistics.fmean(part[seed] for part in parts) for seed in sorted(shared)}


def _planned(plan: Reproduction, row: TableRow, setting: Setting) -> Tested | None:
    try:
        return plan.run(row, setting, seed=0)
    except UsageError:
        return None  # Not a row that was asked for: those have been checked before anything ran.


def _finished(plan: Reproduction, row: TableRow, setting: Setting, family: Path) -> list[Tested]:
    folders = (re.fullmatch(r"seed(\d+)", path.name) for path in family.glob("seed*"))
    seeds = sorted(int(folder[1]) for folder in folders if folder)
    runs = [plan.run(row, setting, seed) for seed in seeds]
    return [run for run in runs if run.evaluation() is not None]


def _figures(
    plan: Reproduction,
    row: TableRow,
    paper: str | None,
    evaluations: Mapping[int, Mapping[str, Any]],
) -> dict[str, Figure]:
    printed = dict(zip(plan.table.headings, row.paper.get(paper, ()), strict=False))
    figures = {}
    for column in (*plan.table.columns, *plan.table.extra):
        reranked = ".reranked" if row.rerank else ""
        path = column.figure.format(variant=f"{row.variant}{reranked}")
        found = {seed: _look_up(values, path) for seed, values in evaluations.items()}
        figures[column.heading] = Figure(
            {seed: value for seed, value in found.items() if value is not None},
            printed.get(column.heading),
        )
    return figures


def _look_up(values: Mapping[str, Any], path: str) -> float | None:
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
