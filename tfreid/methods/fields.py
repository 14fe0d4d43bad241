"""How a recipe declares its fields, beyond their defaults, and what is read off that."""

import dataclasses
import typing
from collections.abc import Collection, Iterator
from typing import Any

from tfreid.errors import require, require_known


def choice(default: Any, known: Collection = ()) -> Any:
    """Declares a recipe field that the paper leaves open: `default` is this project's choice.

    Args:
      default: its value.
      known: all values that it may have; empty for any of its type.
    """
    return dataclasses.field(default=default, metadata={"choice": True, "known": known})


def one_of(known: Collection, default: Any) -> Any:
    """Declares a recipe field that may have certain values alone."""
    return dataclasses.field(default=default, metadata={"known": known})


def off(default: Any) -> Any:
    """Declares a recipe field that no paper sets: where it is off, `recipe.json` leaves it out."""
    return dataclasses.field(default=default, metadata={"off": True})


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
