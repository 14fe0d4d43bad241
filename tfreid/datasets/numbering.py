"""Numbers for the persons and cameras of data sets that give names instead."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from tfreid.errors import DataError

_INTEGER = re.compile(r"[0-9]+")
_JUNK = "-1"


def number_persons(names: Iterable[str]) -> dict[str, int]:
    """Gives every person a number; `number_names`.

    Raises:
        DataError: As `number_names`, or a name is -1 among integers.
    """
    found = set(names)
    if _JUNK in found and all(_INTEGER.fullmatch(name) for name in found - {_JUNK}):
        raise DataError(
            f"person {_JUNK}: it marks junk in the layout of Market-1501 only; leave these images "
            "out, or give the person another name"
        )
    return number_names(found, "person")


def number_names(names: Iterable[str], what: str) -> dict[str, int]:
    """Gives every name a number from 1 on that depends on the names alone.

    The special IDs are Market-1501's: in data of one's own, person 0 is a person like others.

    Args:
        names: In any order, repeated or not.
        what: What they name, for the error message, such as "person".

    Returns:
        Where all names are positive integers, their values; where some are 0, their values plus
        1; else 1 to n in the order of the sorted names.

    Raises:
        DataError: Two names are the same integer, as 7 and 007, or look the same.
    """
    ordered = sorted(set(names))
    _refuse_twins(ordered, what)
    if not all(_INTEGER.fullmatch(name) for name in ordered):
        return {name: number for number, name in enumerate(ordered, start=1)}
    by_number: dict[int, str] = {}
    for name in ordered:
        other = by_number.setdefault(int(name), name)
        if other != name:
            raise DataError(f"{what} names {other} and {name} are the same number: rename one")
    shift = int(0 in by_number)
    return {name: number + shift for number, name in by_number.items()}


def names_by_number(numbers: Mapping[str, int]) -> dict[int, str]:
    """Undoes `number_names`."""
    return {number: name for name, number in numbers.items()}


def _refuse_twins(names: list[str], what: str) -> None:
    """Refuses names of the same characters, composed in one and decomposed in the other."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(unicodedata.normalize("NFC", name), name)
        if other != name:
            raise DataError(
                f"{what} names {other!a} and {name!a} look the same, written in "
                "different Unicode characters: rename one"
            )
