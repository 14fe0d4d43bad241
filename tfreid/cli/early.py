"""The flags of a command, read off its file, as the command loads libraries for seconds first."""

import ast
import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags

_ORDER = {  # What each kind takes in this order, after the name.
    "enum": ("default", "enum_values", "help"),
    "integer": ("default", "help", "lower_bound", "upper_bound"),
    "float": ("default", "help", "lower_bound", "upper_bound"),
    **dict.fromkeys(("string", "bool", "boolean", "list", "multi_string"), ("default", "help")),
}


def takes_arguments(path: Path) -> bool:
    """Whether the command in a file takes more than flags."""
    runs = [call for call in _calls(path) if _name(call) == "run"]
    return any(keyword.arg == "arguments" for call in runs for keyword in call.keywords)


def flags_of(path: Path) -> flags.FlagValues:
    """Returns the flags that a file defines or adopts, as far as literals say what they allow.

    Args:
      path: the file of a command.
    """
    values = flags.FlagValues()
    for call in _calls(path):
        if _is_definition(call):
            _define(call, values)
        elif _name(call) == "adopt_module_key_flags":
            for each in filter(_is_definition, _calls(_imported(path, call.args[0].id))):
                _define(each, values)
    return values


def _define(call: ast.Call, values: flags.FlagValues) -> None:
    kind = _name(call).removeprefix("DEFINE_")
    if kind not in _ORDER:
        return
    name, *rest = call.args
    given = dict(zip(_ORDER[kind], rest, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords}
    literal: dict[str, Any] = {"default": None, "help": ""}
    for key, node in given.items():
        with contextlib.suppress(ValueError):
            literal[key] = ast.literal_eval(node)
    if kind == "enum" and "enum_values" not in literal:
        kind = "string"
    define = getattr(flags, f"DEFINE_{kind}")
    define(ast.literal_eval(name), flag_values=values, **literal)


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _is_definition(call: ast.Call) -> bool:
    return _name(call).startswith("DEFINE_")


def _imported(path: Path, name: str) -> Path:
    """The file of a module that a file imports under a name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return Path(importlib.util.find_spec(f"{node.module}.{alias.name}").origin)
    raise LookupError(f"{path} imports no {name}")
