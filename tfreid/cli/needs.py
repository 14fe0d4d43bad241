"""Flags that have an effect only with others."""

from collections.abc import Mapping

from absl import flags

from tfreid.errors import UsageError

_SEVERAL = "several "
_OR = " or "


def check_needs(needs: Mapping[str, str], values: flags.FlagValues) -> None:
    """Refuses a flag that is given without another that it needs.

    Args:
      needs: a flag, or `several FLAG` for one that is given more than once -> a flag, or one with
        a value (`matching=blend`), or several such with ` or ` between them.
      values: the flags, parsed; those that are not defined do not matter.

    Raises:
      UsageError: naming both.
    """
    for name, needed in needs.items():
        options = needed.split(_OR)
        if _is_given(name, values) and not any(_holds(option, values) for option in options):
            listed = _OR.join(f"--{option}" for option in options)
            if name.startswith(_SEVERAL):
                flag = f"--{name.removeprefix(_SEVERAL)}"
                raise UsageError(
                    f"more than one {flag} needs {listed}: give that too, or one alone"
                )
            raise UsageError(f"--{name} needs {listed}: give that too, or leave --{name} out")


def _is_given(name: str, values: flags.FlagValues) -> bool:
    plain = name.removeprefix(_SEVERAL)
    if plain not in values or not values[plain].present:
        return False
    flag = values[plain]
    if plain != name:
        return len(flag.value) > 1
    return bool(flag.default) or flag.value != flag.default  # Not 0 or false, as without it.


def _holds(option: str, values: flags.FlagValues) -> bool:
    name, _, wanted = option.partition("=")
    found = values[name].value if name in values else None
    if not wanted:
        return bool(found)
    listed = found if isinstance(found, list) else [found]
    return any(str(value).partition(":")[0] == wanted for value in listed)
