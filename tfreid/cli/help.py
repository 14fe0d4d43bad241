"""The help of a command, which fits a screen."""

import os
import sys
import textwrap
from collections.abc import Sequence

from absl import flags

FIELD = "recipe."
"""How the flags of a recipe's fields begin."""

REQUIRED = "must have a value other than None"
"""What absl says of a flag that must be given."""

_WIDTH = 96


def help_text(
    description: str, arguments: str, own: Sequence[flags.Flag], full: bool = False
) -> str:
    """Returns the usage, description and flags of the command that runs.

    Args:
      description: its file's docstring.
      arguments: what it takes besides flags.
      own: its flags.
      full: show those of the recipe and of the libraries that are loaded, too.
    """
    text = [
        f"usage: python -m {command_name()} [FLAGS] {arguments}".rstrip(),
        description,
        _flag_lines(own) if own else "This command has no flags.",
    ]
    if not full:
        return "\n\n".join([*text, "--helpfull lists the libraries' flags too."])
    others = [
        flag
        for module in flags.FLAGS.flags_by_module_dict().values()
        for flag in module
        if flag not in own and flag.name != "recipe"
    ]
    fields = [flag for flag in others if flag.name.startswith(FIELD)]
    if fields:
        text += [flags.FLAGS["recipe"].help, _flag_lines(fields)]
    libraries = [flag for flag in others if flag not in fields]
    text += ["Flags of the libraries:", _flag_lines(libraries)] if libraries else []
    text.append(flags.FlagValues().get_help())  # Those that absl itself always has.
    return "\n\n".join(text)


def command_name() -> str:
    """Returns what stands behind `python -m` for the command that runs."""
    name = sys.argv[0]  # A module's, where it is about to be run by another.
    if os.sep in name:
        spec = sys.modules["__main__"].__spec__
        name = spec.name if spec else os.path.basename(name)
    return name.removesuffix(".__main__").replace(".commands.", " ")


def is_missing(flag: flags.Flag) -> bool:
    """Returns whether a flag must be given and is not; absl keeps the first as a validator."""
    return flag.value is None and any(REQUIRED in check.message for check in flag.validators)


def _flag_lines(own: Sequence[flags.Flag]) -> str:
    """One paragraph a flag: name, meaning, default."""
    names = [f"  --[no]{flag.name}" if flag.boolean else f"  --{flag.name}=…" for flag in own]
    column = min(max(map(len, names)) + 2, 30)
    lines = []
    for name, flag in zip(names, own, strict=True):
        meaning = textwrap.wrap(_meaning(flag), _WIDTH - column) or [""]
        if len(name) >= column:
            lines.append(name)
            name = ""
        lines += [f"{name:{column}}{meaning[0]}", *(" " * column + more for more in meaning[1:])]
    return "\n".join(lines)


def _meaning(flag: flags.Flag) -> str:
    meaning, repeatable, _ = " ".join(flag.help.split()).partition("; repeat this option")
    notes = ["repeatable"] if repeatable else []
    default = (flag.default_as_str or "").strip("'")
    if 0 < len(default) <= 40 and default not in ("false", "[]"):
        notes.append(f"default {default}")
    if is_missing(flag):
        notes.append("required")
    return f"{meaning} ({'; '.join(notes)})" if notes else meaning
