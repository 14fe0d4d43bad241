"""How a recipe declares its fields: default, known values, and who set it, the paper or we."""

import dataclasses
import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from tfreid.errors import require, require_known

NO_PAPER = "no paper has it"


@dataclass(frozen=True)
class Source:
    """Where a field's value comes from.

    Attributes:
      stated: whether the paper states it.
      text: where in the paper; or why this project chose it.
    """

    stated: bool
    text: str


def paper(
    default: Any, where: str, known: Collection = (), before: Any = MISSING, **chosen: str
) -> Any:
    """Declares a recipe field whose default is the paper's.

    Args:
      default: its value.
      where: section, table or equation of the paper.
      known: all values that it may have; empty for any of its type.
      before: what recipes meant that were written before there was the field.
      **chosen: fields of a nested default that the paper leaves open, and why they are so.
    """
    return _declared(default, Source(True, where), known, before, chosen)


def choice(
    default: Any, why: str, known: Collection = (), before: Any = MISSING, **stated: str
) -> Any:
    """Declares a recipe field that the paper leaves open: `default` is this project's choice.

    Args:
      default: its value.
      why: the reason; of what is the authors' code, that it is.
      known: as of `paper`.
      before: as of `paper`.
      **stated: fields of a nested default that the paper states, and where.
    """
    return _declared(default, Source(False, why), known, before, stated)


def off(default: Any, why: str = NO_PAPER) -> Any:
    """Declares a recipe field that is off, as it was before there was the field."""
    return choice(default, why, before=default)


def _declared(default, source: Source, known, before, others: Mapping[str, str]) -> Any:
    parts = {name: Source(not source.stated, text) for name, text in others.items()}
    declared = {"source": source, "parts": parts, "known": known, "before": before}
    return dataclasses.field(default=default, metadata=declared)


def declarations(recipe: Any) -> dict[str, dataclasses.Field]:
    """Returns how each field of a recipe, or of a recipe's type, is declared.

    Where the class lists `presets`, {(field, value): {field: declaration}}, those of the values
    that the recipe has take the place of the class's own.
    """
    declared = {field.name: field for field in dataclasses.fields(recipe)}
    for (name, value), others in getattr(recipe, "presets", {}).items():
        if not isinstance(recipe, type) and getattr(recipe, name) == value:
            declared |= others
    return declared


def preset(recipe_type: type, name: str, value: Any) -> Any:
    """Returns the recipe that the class declares for a value of a field."""
    declared = recipe_type.presets[name, value]
    return recipe_type(**{name: value} | {other: f.default for other, f in declared.items()})


def sources(
    recipe: Any,
    path: str = "",
    inherited: Source | None = None,
    parts: Mapping[str, Source] | None = None,
) -> Iterator[tuple[str, Source | None]]:
    """Yields name, as `leaves` does, and source of every field that holds a plain value.

    A field of a nested recipe that is not declared by its own class has the source of the field
    that holds the recipe.

    Args:
      recipe: the recipe.
      path: in front of the names.
      inherited: source of what is not declared.
      parts: sources that go before what is declared, by field.
    """
    declared = declarations(recipe)
    for field in dataclasses.fields(recipe):
        value, metadata = getattr(recipe, field.name), declared[field.name].metadata
        source = (parts or {}).get(field.name) or metadata.get("source") or inherited
        if dataclasses.is_dataclass(value):
            yield from sources(value, f"{path}{field.name}.", source, metadata.get("parts"))
        else:
            yield path + field.name, source


LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("width", "backbone_width"), (1e-3, 16)),
    **dict.fromkeys(("batch_size", "persons_per_batch", "images_per_person"), (1, 2**16)),
    **dict.fromkeys(("image_size_px", "size_px"), (1, 4096)),
    "descriptor_size": (1, 2**16),
    "steps": (0, 10**9),
    "epochs": (0, 10**6),
}
"""Field of any recipe -> its least and greatest sensible value.

They are far beyond any paper's, and short of what no machine can hold.
"""


def check_limits(owner: Any, path: str) -> None:
    """Raises `UsageError` where a field is beyond its limits; nested recipes are not looked at."""
    for field in dataclasses.fields(owner):
        value = getattr(owner, field.name)
        if field.name in LIMITS and value is not None:
            least, most = LIMITS[field.name]
            for each in value if isinstance(value, tuple) else (value,):
                inside = least <= each <= most
                require(inside, f"{path}.{field.name}={each:g}: expected {least:g} to {most:g}")


def check_known(owner: Any) -> None:
    """Raises `UsageError` unless each field has one of the values that its declaration knows."""
    fields = {field.name: field.metadata.get("known") for field in dataclasses.fields(owner)}
    require_known(owner, **{name: known for name, known in fields.items() if known})


def leaves(recipe: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields name, dotted where nested, and value of every field that holds a plain value."""
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{path}{field.name}.")
        else:
            yield path + field.name, value


def names(recipe_type: type, path: str = "") -> Iterator[str]:
    """Yields the names of which `leaves` yields the values, for any recipe of a type."""
    hints = typing.get_type_hints(recipe_type)
    for field in dataclasses.fields(recipe_type):
        options = (hints[field.name], *typing.get_args(hints[field.name]))
        nested = [option for option in options if dataclasses.is_dataclass(option)]
        if nested:
            yield from names(nested[0], f"{path}{field.name}.")
        else:
            yield path + field.name
