"""What the help says of a recipe's fields: read off their declarations and docstrings."""

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any


def meanings(recipe: Any, context: str = "", notes: str = "") -> Iterator[str]:
    """Yields what each field means, in the order of `tfreid.methods.fields.leaves`.

    Args:
      recipe: a dataclass, perhaps with others inside.
      context: what the field that holds it means.
      notes: what is to be said of each of its fields.

    Yields:
      The meaning; the values that are allowed, where they are certain ones; and whether the paper
      leaves the field open.
    """
    documented = attributes(type(recipe))
    for field in dataclasses.fields(recipe):
        value, meaning = getattr(recipe, field.name), documented.get(field.name, "")
        meaning = ": ".join(filter(None, [context, meaning]))
        said = notes or ("; the paper does not state it" if field.metadata.get("choice") else "")
        if dataclasses.is_dataclass(value):
            yield from meanings(value, meaning.partition(";")[0], said)
            continue
        known = ", ".join(map(str, field.metadata.get("known", ())))
        yield meaning + (f"; one of {known}" if known else "") + said


def attributes(owner: type) -> dict[str, str]:
    """Returns what the docstrings of a class and its bases say of each attribute."""
    found: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        section = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")[2]
        section = re.split(r"\n(?=\S)", section)[0]
        for name, text in re.findall(r"^  (\w+): (.+(?:\n {3,}.+)*)", section, re.MULTILINE):
            found[name] = " ".join(text.split()).replace("`", "").rstrip(".")
    return found
