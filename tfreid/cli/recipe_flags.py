"""The flags of a method's recipe, which depend on the method that the command line names."""

import contextlib
import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from absl import flags
from ml_collections import ConfigDict, config_dict, config_flags

from tfreid.cli.recipe_help import meanings
from tfreid.cli.typed_parser import KINDS, TypedParser
from tfreid.methods import METHODS
from tfreid.methods.fields import leaves
from tfreid.methods.recipe import former_fields, from_json


def define_recipe_flags(
    argv: Sequence[str],
    names: Sequence[str],
    demo_unless_told: Callable[[Mapping], bool],
    flag_values: flags.FlagValues = flags.FLAGS,
) -> Callable[[], Any] | None:
    """Defines `--recipe.FIELD` for each field of the recipe of `--method` at `--scale`.

    Where `--recipe.FIELD=VALUE` chooses a preset of the method, its values hold unless another
    flag says otherwise.

    Args:
      argv: the command line, read before its flags are parsed.
      names: further flags that decide on the scale.
      demo_unless_told: values of these flags -> whether the scale is `demo` when `--scale` is
        not given.
      flag_values: where to define the flags.

    Returns:
      A function that gives the recipe after all flags were parsed; None without a method, which
      parsing the flags will refuse.
    """
    early = flags.FlagValues()
    choosing = set().union(*(method.choosing for method in METHODS.values()))
    for name in ("method", "scale", *names, *(f"recipe.{name}" for name in choosing)):
        flags.DEFINE_string(name, None, "", flag_values=early)
    with contextlib.suppress(flags.Error):
        early(list(argv), known_only=True)
    early.mark_as_parsed()
    if early.method not in METHODS:
        return None
    method = METHODS[early.method]
    given = {name: early[name].value for name in names}
    demo = early.scale == "demo" or (early.scale is None and demo_unless_told(given))
    chosen = {name: early[f"recipe.{name}"].value for name in choosing}
    scale = "demo" if demo else "paper"
    title = f"Fields of the recipe of {method.name}, with the defaults of --scale={scale}:"
    published = method.base_recipe("paper", chosen)
    return define_flags(method.base_recipe(scale, chosen), flag_values, title, published)


def define_flags(
    default: Any,
    flag_values: flags.FlagValues = flags.FLAGS,
    title: str = "Fields of the recipe:",
    published: Any = None,
) -> Callable[[], Any]:
    """Defines a flag `--recipe.FIELD` for each field of a recipe, former fields too.

    Args:
      default: the recipe whose values hold unless a flag says otherwise.
      flag_values: where to define the flags.
      title: what stands above them in the help.
      published: the recipe at the paper's scale, whose values the help names where others hold.

    Returns:
      A function that gives the recipe after the flags were parsed. It raises UsageError for a
      value that does not fit its field.
    """
    for kind in KINDS:
        config_flags.register_flag_parser_for_type(kind, TypedParser(kind))
    config = ConfigDict(_with_placeholders(default))
    # Named here, each field becomes a flag of its own, so that a wrong name meets its neighbours.
    every_field = ["", *(f"--recipe.{name}=" for name in _names(default))]
    holder = config_flags.DEFINE_config_dict(
        "recipe", config, title, flag_values, sys_argv=every_field
    )
    for (name, _), meaning in zip(leaves(default), meanings(default, published), strict=True):
        flag_values[f"recipe.{name}"].help = meaning
    return lambda: from_json(
        type(default), _told(default, holder.value.to_dict(), flag_values, "recipe.")
    )


def _names(recipe: Any, path: str = "") -> Iterator[str]:
    """Yields the names of all fields, dotted where nested, former fields too."""
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if dataclasses.is_dataclass(value):
            yield from _names(value, f"{path}{field.name}.")
        else:
            yield path + field.name
    yield from (path + name for name in former_fields(type(recipe)))


def _told(
    recipe: Any, values: Mapping[str, Any], flag_values: flags.FlagValues, path: str
) -> dict[str, Any]:
    """The values, where a former field that is given stands for the defaults of today's."""
    told = dict(values)
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if dataclasses.is_dataclass(value):
            told[field.name] = _told(value, told[field.name], flag_values, f"{path}{field.name}.")
    for name, former in former_fields(type(recipe)).items():
        if told[name] is None:
            del told[name]
            continue
        for current in former.now(told[name]):
            if not flag_values[path + current].present:
                del told[current]
    return told


def _with_placeholders(recipe: Any) -> dict[str, Any]:
    """The recipe's values, where a typed placeholder stands for None and for former fields."""
    hints = typing.get_type_hints(type(recipe))
    values = {}
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if dataclasses.is_dataclass(value):
            value = _with_placeholders(value)
        elif value is None:
            kinds = [kind for kind in typing.get_args(hints[field.name]) if kind is not type(None)]
            value = config_dict.placeholder(typing.get_origin(kinds[0]) or kinds[0])
        values[field.name] = value
    for name, former in former_fields(type(recipe)).items():
        values[name] = config_dict.placeholder(former.kind)
    return values
