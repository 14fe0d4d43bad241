"""Figures as a table on the terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tfreid.evaluation.result import AuditResult
from tfreid.evaluation.verdict import in_points
from tfreid.inputs import readable
from tfreid.retrieval import Interval


def print_table(title: str, rows: Mapping[str, Mapping[str, float | None] | None]) -> None:
    """Prints fractions as percentages.

    Args:
      title: heading of the column with the rows' names.
      rows: name to figures by column, the same in every row; None where there is none.
    """
    columns = next(row for row in rows.values() if row)
    table = Table(title)
    for name in columns:
        table.add_column(name, justify="right")
    for name, row in rows.items():
        table.add_row(readable(name), *(_cell(row[column] if row else None) for column in columns))
    Console().print(table)


def print_intervals(result: AuditResult) -> None:
    """Prints rank-1 and mAP of an audit with their intervals, and what they lose."""
    names = list(next(iter(result.intervals.values())))
    table = Table("95% intervals")
    for heading in [*names, *(f"{name} lost" for name in names)]:
        table.add_column(heading, justify="right")
    for row, figures in result.intervals.items():
        lost = result.losses.get(row, {})
        cells = [*(figures[name] for name in names), *(lost.get(name) for name in names)]
        table.add_row(readable(row), *map(_with_ends, cells))
    Console().print(table)


def _with_ends(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{100 * interval.value + 0.0:.1f} ({in_points(interval)})"


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
