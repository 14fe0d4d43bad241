"""Writes what the recipes declare of their fields into `docs/methods.md`.

`python -m docs.hooks.recipe_tables` replaces what stands between `<!-- recipe NAME -->`, or
`<!-- recipe NAME FIELD=VALUE -->` for a preset, and `<!-- end -->`.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tfreid.methods import METHODS
from tfreid.methods.fields import NO_PAPER, Source, preset, sources

PAGE = Path(__file__).parents[1] / "methods.md"
_PART = re.compile(r"(<!-- recipe (\w+)(?: (\w+)=(\w+))? -->\n).*?(?=<!-- end -->)", re.DOTALL)
_HAVE_A_PART_OF_THEIR_OWN = {"architecture"}
"""Fields whose presets are not rows beside their recipe's."""

_RECIPES = tuple(method.recipe for method in METHODS.values())


def written(page: str) -> str:
    """Returns a page with the tables of today."""
    return _PART.sub(lambda match: f"{match[1]}\n{_tables(*match.groups()[1:])}\n", page)


def _tables(method: str, field: str | None, value: str | None) -> str:
    made = METHODS[method].base_recipe("paper", {field: value} if field else {})
    if field:
        rows = list(_rows(made, made.presets[field, value]))
    else:
        rows = [*_rows(made), *_preset_rows(made)]
    stated = [cells for source, *cells in rows if source.stated]
    chosen = [cells for source, *cells in rows if not source.stated and source.text != NO_PAPER]
    parts = ["What the paper states:", _table(("field", "value", "where"), stated)]
    parts += [
        "What it does not state, and what is done here:",
        _table(("field", "value", "why"), chosen),
    ]
    if field:
        parts.append("All other fields are as above.")
    else:
        parts.append(_table(("beside the fields", "done here"), made.open_points.items()))
        off = [f"`{name}`" for name, source in sources(made) if _is_off(made, name, source)]
        parts.append(f"Off, because no paper has them: {', '.join(off)}.")
    return "\n\n".join(parts) + "\n"


def _rows(recipe: Any, only: Collection[str] = ()) -> Iterator[tuple[Source, str, str, str]]:
    """Yields source, field, value and what the source says; a row holds the fields of one."""
    groups: dict[tuple[str, Source], dict[str, Any]] = {}
    for name, source in sources(recipe):
        holder, _, inner = name.partition(".")
        value = getattr(recipe, holder)
        if not isinstance(value, _RECIPES) and (not only or holder in only):
            value = getattr(value, inner) if inner else value
            groups.setdefault((holder, source), {})[inner] = value
    for (holder, source), values in groups.items():
        yield source, *_cells(holder, values), source.text


def _preset_rows(recipe: Any) -> Iterator[tuple[Source, str, str, str]]:
    """Yields the rows of the fields that presets declare anew."""
    common = set(_rows(recipe))
    for (field, value), declared in getattr(recipe, "presets", {}).items():
        if field in _HAVE_A_PART_OF_THEIR_OWN:
            continue
        for row in _rows(preset(type(recipe), field, value), declared):
            if row not in common:
                source, name, *rest = row
                yield source, f"{name} with `{field}={value}`", *rest


def _is_off(recipe: Any, name: str, source: Source) -> bool:
    of_another = isinstance(getattr(recipe, name.partition(".")[0]), _RECIPES)
    return source.text == NO_PAPER and not of_another


def _cells(holder: str, values: dict[str, Any]) -> tuple[str, str]:
    """The field and its value; of a nested recipe, all its fields that have one source."""
    if len(values) == 1:
        ((inner, value),) = values.items()
        return f"`{holder}.{inner}`" if inner else f"`{holder}`", _text(holder, value)
    return f"`{holder}`", ", ".join(f"`{name}` {_text(name, v)}" for name, v in values.items())


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if name.endswith("size_px"):
        return "x".join(map(str, value))
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
