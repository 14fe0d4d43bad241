"""The flags of a command, read off its file, as the command loads libraries for seconds first."""

import ast
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from tfreid.cli import recipe_fields
from tfreid.cli.source import called, calls, definition, meant, value
from tfreid.cli.typed_parser import TypedParser

_ORDER = {  # What each kind takes in this order, after the name.
    "enum": ("default", "enum_values", "help"),
    "integer": ("default", "help", "lower_bound", "upper_bound"),
    "float": ("default", "help", "lower_bound", "upper_bound"),
    **dict.fromkeys(("string", "bool", "boolean", "list", "multi_string"), ("default", "help")),
}


def run_options(path: Path) -> dict[str, Any]:
    """Returns the literals that the command in a file gives to `command.run`, by their names."""
    runs = [call for call in calls(path) if ast.unparse(call.func) == "command.run"]
    options = [keyword for call in runs for keyword in call.keywords]
    return {option.arg: ast.literal_eval(meant(option.value, path)[0]) for option in options}


def described(path: Path) -> list[flags.Flag]:
    """Returns the flags that a file defines, and behind them those that it adopts.

    Raises:
      LookupError, ValueError: if literals do not say all of what the help shows.
    """
    values = flags.FlagValues()
    for call, place in sorted(_own_calls(path), key=lambda pair: pair[1] != path):
        if called(call).startswith("DEFINE_"):
            _define(call, place, values, whole=True)
    return [values[name] for name in values]


def flags_of(path: Path, argv: Sequence[str]) -> flags.FlagValues:
    """Returns the flags that a file defines or adopts, as far as literals say what they allow.

    Args:
      path: the file of a command.
      argv: the command line, whose `--method` decides on the fields of the recipe.
    """
    values = flags.FlagValues()
    own = list(_own_calls(path))
    for call, place in own:
        if called(call).startswith("DEFINE_"):
            _define(call, place, values)
    if any(called(call) == "define_recipe_flags" for call, _ in own):
        _define_fields(argv, values)
    return values


def _own_calls(path: Path) -> Iterator[tuple[ast.Call, Path]]:
    """The calls in a file and in those whose flags it adopts, with the file of each."""
    for call in calls(path):
        yield call, path
        if called(call) == "adopt_module_key_flags":
            place = definition(path, call.args[0].id)[1]
            yield from ((other, place) for other in calls(place))


def _define(call: ast.Call, path: Path, values: flags.FlagValues, whole: bool = False) -> None:
    kind = called(call).removeprefix("DEFINE_")
    if kind not in _ORDER:
        if whole:
            raise LookupError(f"{called(call)} is not read")
        return
    name, *rest = call.args
    given = dict(zip(_ORDER[kind], rest, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords}
    literal: dict[str, Any] = {"default": None, "help": ""}
    for key, node in given.items():
        known = () if whole and not key.endswith("_bound") else (LookupError, ValueError)
        with contextlib.suppress(*known):
            literal[key] = value(node, path)
    if kind == "enum" and "enum_values" not in literal:
        kind = "string"
    define = getattr(flags, f"DEFINE_{kind}")
    define(ast.literal_eval(name), flag_values=values, **literal)


def _define_fields(argv: Sequence[str], values: flags.FlagValues) -> None:
    """Defines a flag for each field of the recipe of `--method`, if that is one of ours."""
    early = flags.FlagValues()
    flags.DEFINE_string("method", None, "", flag_values=early)
    with contextlib.suppress(flags.Error, LookupError):
        early(list(argv), known_only=True)
        for name, kind in recipe_fields.of_method(early["method"].value).items():
            if kind is None:
                flags.DEFINE_string(f"recipe.{name}", None, "", flag_values=values)
            else:
                parser = TypedParser(kind)
                flag = flags.Flag(parser, None, f"recipe.{name}", None, "", boolean=kind is bool)
                flags.DEFINE_flag(flag, values)
