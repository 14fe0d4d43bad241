"""What the help says of a recipe's fields: read off their declarations and docstrings."""

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

from tfreid.methods.fields import leaves, sources


def meanings(recipe: Any, published: Any = None) -> Iterator[str]:
    """Yields what each field means, in the order of `tfreid.methods.fields.leaves`.

    Args:
      recipe: a dataclass, perhaps with others inside.
      published: the same at the paper's scale.

    Yields:
      The meaning; the values that are allowed, where they are certain ones; where the value is the
      paper's in which part of it, else why it is as it is; and the value at the paper's scale,
      where another is given.
    """
    there = dict(leaves(recipe if published is None else published))
    described = _described(recipe)
    for (name, source), (_, value), text in zip(
        sources(recipe), leaves(recipe), described, strict=True
    ):
        if source:
            text += f"; {'paper' if source.stated else 'choice'}: {source.text}"
            scaled = there.get(name, value) != value
            text += f"; at the paper's scale {there[name]}" if scaled else ""
        yield text


def _described(recipe: Any, context: str = "") -> Iterator[str]:
    """Yields meaning and allowed values of each field."""
    documented = attributes(type(recipe))
    for field in dataclasses.fields(recipe):
        value, meaning = getattr(recipe, field.name), documented.get(field.name, "")
        meaning = ": ".join(filter(None, [context, meaning]))
        if dataclasses.is_dataclass(value):
            yield from _described(value, meaning.partition(";")[0])
        else:
            known = ", ".join(map(str, field.metadata.get("known", ())))
            yield meaning + (f"; one of {known}" if known else "")


def attributes(owner: type) -> dict[str, str]:
    """Returns what the docstrings of a class and its bases say of each attribute."""
    found: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        section = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")[2]
        section = re.split(r"\n(?=\S)", section)[0]
        for name, text in re.findall(r"^  (\w+): (.+(?:\n {3,}.+)*)", section, re.MULTILINE):
            found[name] = " ".join(text.split()).replace("`", "").rstrip(".")
    return found
