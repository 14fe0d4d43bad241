"""Recipes as JSON: frozen dataclasses of plain values, perhaps nested."""

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from tfreid.errors import UsageError
from tfreid.field_names import nearest_fields
from tfreid.methods.fields import check_limits, declarations, names
from tfreid.typed import required, typed


@dataclass(frozen=True)
class FormerField:
    """A field that a recipe had once; files and flags that name it stay valid.

    A recipe lists its own in the class variable `former_fields`, by name.

    Attributes:
      kind: of its values.
      now: value -> the fields of today that say the same, with their values.
    """

    kind: type
    now: Callable[[Any], dict[str, Any]]


def to_json(recipe: Any) -> dict[str, Any]:
    """Returns a recipe as nested dictionaries that JSON can hold (tuples become lists).

    A field is left out where it has its default, and that is what recipes meant before there was
    the field: so they read as they did.
    """
    values = {}
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if not value == field.default == field.metadata.get("before", MISSING):
            values[field.name] = _plain(value)
    return values


def from_json(recipe_type: type, values: Mapping[str, Any], path: str = "recipe") -> Any:
    """Builds a recipe from nested dictionaries.

    Args:
      recipe_type: the recipe's dataclass.
      values: field -> value, former fields too; fields left out mean what recipes meant before
        there were these fields, or have their default.
      path: what to call the recipe in messages.

    Returns:
      A `recipe_type`.

    Raises:
      UsageError: if a field is not known, is missing and has no default, is given twice by its
        former name, or a value has another type than its field or is absurd.
    """
    values = without_former_fields(recipe_type, values, path)
    hints = typing.get_type_hints(recipe_type)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(recipe_type)}
    for name in values:
        if name not in fields:
            raise UsageError(_unknown_field(name, recipe_type, path))
    missing = [field for field in required(recipe_type) if field not in values]
    if missing:
        raise UsageError(f"{path} lacks {', '.join(missing)}")
    converted = {name: _convert(values[name], fields[name], f"{path}.{name}") for name in values}
    made = recipe_type(**_before(recipe_type) | converted)
    check_limits(made, path)
    return made


def without_former_fields(
    recipe_type: type, values: Mapping[str, Any], path: str = "recipe"
) -> dict[str, Any]:
    """Says what former fields say by the fields of today.

    Args:
      recipe_type: the recipe's dataclass.
      values: field -> value; not those of nested recipes.
      path: what to call the recipe in messages.

    Raises:
      UsageError: if a former field is given beside what it is called now.
    """
    current = dict(values)
    for name, former in former_fields(recipe_type).items():
        if name not in current:
            continue
        value = _convert(current.pop(name), former.kind, f"{path}.{name}")
        for field, meaning in former.now(value).items():
            if field in values:
                raise UsageError(
                    f"{path}.{name} is the former name of {path}.{field}, and both are given: "
                    f"leave {path}.{name} out"
                )
            current[field] = meaning
    return current


def former_fields(recipe_type: type) -> Mapping[str, FormerField]:
    """Returns the former fields of a recipe's dataclass by name."""
    return getattr(recipe_type, "former_fields", {})


def as_begun(recipe: Any, there: Mapping[str, Any], path: str = "") -> tuple[Any, dict[str, Any]]:
    """Gives fields that an older `recipe.json` lacks the meaning that they had when it was written.

    Args:
      recipe: the recipe of today.
      there: what the file says.
      path: in front of the names of fields.

    Returns:
      The recipe, changed where a field has today's default and the file says nothing of it, and
      which fields these are, with their values.
    """
    changed, named = {}, {}
    before, declared = _before(type(recipe)), declarations(recipe)
    for field in dataclasses.fields(recipe):
        name, value = field.name, getattr(recipe, field.name)
        if dataclasses.is_dataclass(value) and isinstance(there.get(name), Mapping):
            changed[name], inner = as_begun(value, there[name], f"{path}{name}.")
            named |= inner
        elif name in before and name not in there and before[name] != value:
            if value == declared[name].default:
                changed[name] = named[path + name] = before[name]
    return dataclasses.replace(recipe, **changed), named


def _before(recipe_type: type) -> dict[str, Any]:
    """What fields meant before they were there, by name."""
    return {
        field.name: field.metadata["before"]
        for field in dataclasses.fields(recipe_type)
        if field.metadata.get("before", MISSING) is not MISSING
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_json(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _unknown_field(name: str, recipe_type: type, path: str) -> str:
    known = list(names(recipe_type))
    near = nearest_fields(name, known)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return f"{path} has no field {name!r}; {hint}"


def _convert(value: Any, hint: Any, path: str) -> Any:
    try:
        return typed(hint, value, path, from_json)
    except ValueError as error:
        raise UsageError(str(error)) from None
