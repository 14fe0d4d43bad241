"""Tables of the papers: what each row trains, and our figures beside the published ones."""

from tfreid.reproduction.effort import Effort, effort
from tfreid.reproduction.execution import Runner, run_rows
from tfreid.reproduction.figures import gather
from tfreid.reproduction.plan import Reproduction
from tfreid.reproduction.recipes import changes_of, check_changes
from tfreid.reproduction.rendering import as_json, as_markdown, warning
from tfreid.reproduction.results_page import results_page
from tfreid.reproduction.settings import Setting, settings_of
from tfreid.reproduction.table import Column, Comparison, Table, TableRow
from tfreid.reproduction.tables import TABLES, table_named

__all__ = [
    "TABLES",
    "Column",
    "Comparison",
    "Effort",
    "Reproduction",
    "Runner",
    "Setting",
    "Table",
    "TableRow",
    "as_json",
    "as_markdown",
    "changes_of",
    "check_changes",
    "effort",
    "gather",
    "results_page",
    "run_rows",
    "settings_of",
    "table_named",
    "warning",
]
