"""Figures as a table on the terminal."""

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from tfreid.evaluation.open_set import in_words, open_set_metrics
from tfreid.evaluation.result import AuditResult
from tfreid.evaluation.verdict import in_points
from tfreid.inputs import readable


def print_table(title: str, rows: Mapping[str, Mapping[str, float | None] | None]) -> None:
    """Prints fractions as percentages.

    Args:
      title: heading of the column with the rows' names.
      rows: name to figures by column, the same in every row; None where there is none.
    """
    columns = next(row for row in rows.values() if row)
    table = _table(title, columns)
    for name, row in rows.items():
        table.add_row(readable(name), *(_cell(row[column] if row else None) for column in columns))
    Console().print(table)


def print_intervals(result: AuditResult) -> None:
    """Prints the intervals of rank-1 and mAP, what they lose, and how strangers fare."""
    names = list(next(iter(result.intervals.values())))
    table = _table("95% interval", [*names, *(f"{name} lost" for name in names)])
    for row, figures in result.intervals.items():
        lost = result.losses.get(row, {})
        ends = [in_points(figures[name]) for name in names]
        losses = [in_points(lost[name]) if name in lost else "-" for name in names]
        table.add_row(readable(row), *ends, *losses)
    Console().print(table)
    if result.searches:
        print(in_words(open_set_metrics(result.searches)))


def _table(title: str, columns: Iterable[str]) -> Table:
    """An empty table whose intervals fit into 80 columns."""
    table = Table(title, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
