"""Figures as a table on the terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tfreid.report.markup import readable


def print_table(title: str, rows: Mapping[str, Mapping[str, float] | None]) -> None:
    """Prints fractions as percentages.

    Args:
      title: heading of the column with the rows' names.
      rows: name to figures by column, the same in every row; None where there are none.
    """
    columns = next(row for row in rows.values() if row)
    table = Table(title)
    for name in columns:
        table.add_column(name, justify="right")
    for name, row in rows.items():
        cells = [f"{100 * row[column]:.1f}" if row else "-" for column in columns]
        table.add_row(readable(name), *cells)
    Console().print(table)
