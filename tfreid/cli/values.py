"""What is wrong with a value whatever its flag is for: none at all, no number, nothing there."""

import difflib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from tfreid.errors import MissingPathError, UsageError

_ADDRESS = re.compile(r"(?:^|[=,])[A-Za-z][A-Za-z0-9+.-]*://")
_TAKE_ADDRESSES = ("database", "host", "image", "model", "root")
"""Flags of which some are addresses; their commands say which they take."""


def require_values(own: Iterable[flags.Flag]) -> None:
    """Refuses `--out=`, `nan`, which is within no limits and beyond none, and infinite numbers.

    Args:
      own: the flags of a command, parsed.

    Raises:
      UsageError: naming the flag.
    """
    for flag in own:
        if flag.present and flag.value in ("", [], [""]):
            raise UsageError(f"--{flag.name} has no value: give one, or leave it out")
        for value in flag.value if isinstance(flag.value, list) else [flag.value]:
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"--{flag.name}={value}: a finite number was expected")


def require_once(known: flags.FlagValues, before: Mapping[str, int], given: Iterable[str]) -> None:
    """Refuses `--seed=1 --seed=2`, of which the last would count, silently.

    Args:
      known: all flags, parsed.
      before: name -> how often it had been given before.
      given: what stands on the command line where flags stand, without dashes.

    Raises:
      UsageError: naming the flag.
    """
    if any(word.startswith("flagfile") for word in given):
        return  # Who keeps flags in a file changes some of them on the command line.
    for name in known:
        flag, count = known[name], known[name].present - before.get(name, 0)
        if count > 1 and not isinstance(flag, flags.MultiFlag):
            text = f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}"
            raise UsageError(f"{text} takes one value and is given {count} times: give it once")


def require_paths(own: Iterable[flags.Flag], arguments: Sequence[str]) -> None:
    """Refuses `--out=gs://bucket/run`, which would be a folder `gs:` on this machine.

    Args:
      own: the flags of a command, parsed.
      arguments: what stands beside them on its command line.

    Raises:
      UsageError: naming the flag or argument.
    """
    named = [(f"--{flag.name}={text}", text) for flag in own for text in _texts(flag)]
    for given, text in [*named, *((argument, argument) for argument in arguments)]:
        if _ADDRESS.search(text):
            raise UsageError(
                f"{given}: a path of this machine was expected, not an address. Mount the bucket "
                "and give its folder here, or copy from it, or to it, with the cloud's own tool"
            )


def expand_home(own: Iterable[flags.Flag]) -> None:
    """Puts the home folder for the `~` of `--out=~/runs`, which shells leave to the command."""
    for flag in own:
        if isinstance(flag.value, list):
            flag.value = [_expanded(value) for value in flag.value]
        elif flag.value is not None:
            flag.value = _expanded(flag.value)


def _expanded(value: Any) -> Any:
    is_home = isinstance(value, str) and (value == "~" or value.startswith("~/"))
    return os.path.expanduser(value) if is_home else value


def require_there(known: flags.FlagValues, names: Iterable[str]) -> None:
    """Refuses paths that lead nowhere, with the name beside it that may be meant.

    Args:
      known: all flags, parsed.
      names: flags whose values are paths that are read.

    Raises:
      MissingPathError: naming the flag.
    """
    for name in names:
        given = known[name].value or []
        for path in map(Path, given if isinstance(given, list) else [given]):
            if path.exists():
                continue
            beside = path.parent.iterdir() if path.parent.is_dir() else ()
            near = difflib.get_close_matches(path.name, [other.name for other in beside], n=1)
            hint = f"; did you mean {path.parent / near[0]}?" if near else ""
            raise MissingPathError(f"--{name}={path}: there is no such file or folder{hint}")


def _texts(flag: flags.Flag) -> Iterator[str]:
    if flag.present and flag.name not in _TAKE_ADDRESSES:
        values = flag.value if isinstance(flag.value, list) else [flag.value]
        yield from (value for value in values if isinstance(value, str))
