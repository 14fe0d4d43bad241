"""What a row of a table trains: its method's recipe and the flags that make it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tfreid.errors import UsageError
from tfreid.field_names import nearest_fields
from tfreid.methods import METHODS
from tfreid.methods.fields import leaves
from tfreid.methods.recipe import former_fields, without_former_fields
from tfreid.records import RecordsInfo
from tfreid.reproduction.table import Table, TableRow

SCALES = ("paper", "demo")


def resolve(
    row: TableRow, scale: str, changes: Mapping[str, Any], info: RecordsInfo
) -> tuple[Any, dict[str, Any]]:
    """Builds the recipe of a row.

    Args:
      row: of a table.
      scale: `"paper"` or `"demo"`, the recipe to start from.
      changes: further fields to their value, where the recipe has them and the row does not set
        them itself.
      info: of the training data, whose size decides how many steps an epoch has.

    Returns:
      The recipe, and the fields, dotted where nested, in which it departs from the method's.

    Raises:
      UsageError: if a field is not known or a value does not fit.
    """
    own = row.recipe_at(scale)
    fields = _fields(row.method, scale, own)
    changes = without_former_fields(METHODS[row.method].recipe, changes)
    changes = {name: value for name, value in changes.items() if name in fields}
    overrides = {**changes, **own}
    recipe = METHODS[row.method].recipe_with(scale, overrides)
    epoch = _steps_per_epoch(recipe, info) if scale == "paper" else {}
    if epoch and not epoch.items() <= fields.items() and not epoch.keys() & overrides.keys():
        overrides |= epoch
        recipe = METHODS[row.method].recipe_with(scale, overrides)
    return recipe, overrides


def changes_of(table: Table, scale: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the changes of fields that some recipe of a table has."""
    known = _fields_of([table], scale)
    return {name: value for name, value in changes.items() if name in known}


def check_changes(tables: Sequence[Table], scale: str, changes: Mapping[str, Any]) -> None:
    """Refuses changes of fields that no recipe of the tables has.

    Raises:
      UsageError: naming the nearest field.
    """
    known = _fields_of(tables, scale)
    for name in changes:
        if name not in known:
            near = nearest_fields(name, known) or known
            names = ", ".join(table.name for table in tables)
            raise UsageError(
                f"no recipe of {names} has a field {name!r}: did you mean {' or '.join(near)}?"
            )


def _fields_of(tables: Sequence[Table], scale: str) -> dict[str, Any]:
    rows = (row for table in tables for each in table.rows for row in each.trained)
    known: dict[str, Any] = {}
    for method in {row.method: None for row in rows}:
        known |= _fields(method, scale, {}) | dict(former_fields(METHODS[method].recipe))
    return known


def as_flag(name: str, value: Any) -> str:
    """Writes a field as the flag of `tfreid.train` that sets it."""
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, tuple | list):
        value = str(tuple(value)).replace(" ", "")
    return f"--recipe.{name}={value}"


def _fields(method: str, scale: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of a recipe, dotted where nested, to its value."""
    return dict(leaves(METHODS[method].base_recipe(scale, overrides)))


def _steps_per_epoch(recipe: Any, info: RecordsInfo) -> dict[str, int]:
    """For recipes that count epochs: the steps in which the training images are seen once."""
    schedule = getattr(recipe, "schedule", None)
    names = {field.name for field in dataclasses.fields(schedule)} if schedule else set()
    if "steps_per_epoch" not in names or "train" not in info.splits:
        return {}
    steps = max(1, round(info.splits["train"].records / recipe.batch_size))
    return {"schedule.steps_per_epoch": steps}
