"""Numbers for the persons and cameras of data sets that give names instead."""

import re
from collections.abc import Iterable

from tfreid.errors import DataError

_INTEGER = re.compile(r"-?[0-9]+")


def number_names(names: Iterable[str], what: str, lowest: int) -> dict[str, int]:
    """Gives every name a number that depends on the names alone.

    Args:
        names: In any order, repeated or not.
        what: What they name, for the error message, such as "person".
        lowest: The lowest number that may be kept.

    Returns:
        Where all names are integers from `lowest` on, their values, so that the special IDs keep
        their meaning; else 1 to n in the order of the sorted names.

    Raises:
        DataError: Two names are the same integer, as 7 and 007.
    """
    ordered = sorted(set(names))
    if not all(_INTEGER.fullmatch(name) and int(name) >= lowest for name in ordered):
        return {name: number for number, name in enumerate(ordered, start=1)}
    by_number: dict[int, str] = {}
    for name in ordered:
        other = by_number.setdefault(int(name), name)
        if other != name:
            raise DataError(f"{what} names {other} and {name} are the same number: rename one")
    return {name: number for number, name in by_number.items()}
