"""The flags of a method's recipe, which depend on the method that the command line names."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absl import flags

from tfreid.methods import METHODS
from tfreid.methods.recipe import define_flags


def define_recipe_flags(
    argv: Sequence[str], names: Sequence[str], demo_unless_told: Callable[[Mapping], bool]
) -> Callable[[], Any] | None:
    """Defines `--recipe.FIELD` for each field of the recipe of `--method` at `--scale`.

    Args:
      argv: the command line, read before its flags are parsed.
      names: further flags that decide on the scale.
      demo_unless_told: values of these flags -> whether the scale is `demo` when `--scale` is
        not given.

    Returns:
      A function that gives the recipe after all flags were parsed; None without a method, which
      parsing the flags will refuse.
    """
    early = flags.FlagValues()
    for name in ("method", "scale", *names):
        flags.DEFINE_string(name, None, "", flag_values=early)
    with contextlib.suppress(flags.Error):
        early(list(argv), known_only=True)
    early.mark_as_parsed()
    if early.method not in METHODS:
        return None
    method = METHODS[early.method]
    given = {name: early[name].value for name in names}
    demo = early.scale == "demo" or (early.scale is None and demo_unless_told(given))
    return define_flags(method.demo() if demo else method.recipe())
