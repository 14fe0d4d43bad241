"""The flags of a method's recipe, which depend on the method that the command line names."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absl import flags

from tfreid.methods import METHODS
from tfreid.methods.recipe import define_flags


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
    choosing = {name for method in METHODS.values() for name, _ in method.presets}
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
    return define_flags(method.base_recipe("demo" if demo else "paper", chosen), flag_values)
