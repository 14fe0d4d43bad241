"""Figures as a table on the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from tfreid.report.markup import readable


def figure_rows(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Returns the figures of an audit by variant, those after re-ranking as rows of their own.

    Args:
      metrics: from `AuditResult.metrics`.

    Returns:
      `<variant>`, and `<variant>_reranked` where there is that, to figures by name.
    """
    rows = {}
    for variant, figures in metrics.items():
        if isinstance(figures, Mapping) and "rank1" in figures:
            rows[variant] = {name: value for name, value in figures.items() if name != "reranked"}
            if "reranked" in figures:
                rows[f"{variant}_reranked"] = dict(figures["reranked"])
    return rows


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


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
