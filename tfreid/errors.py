"""Errors whose text is meant for the user; commands print them without a traceback."""

from collections.abc import Collection


class UsageError(ValueError):
    """The request cannot be carried out as given (commands exit with 2)."""


class MissingPathError(UsageError, FileNotFoundError):
    """A file or folder that the user named, or that a layout requires, is not there (exit 2)."""


class DataError(ValueError):
    """Data on the disk is damaged or does not follow its schema (commands exit with 1)."""


class TrainingError(RuntimeError):
    """Training cannot go on, for example because a loss is not finite (commands exit with 1)."""


class ServingError(RuntimeError):
    """A model server is not there, too slow, or answers otherwise than expected (exit 1)."""


def require(condition: bool, text: str) -> None:
    """Raises `UsageError` with the text unless the condition holds."""
    if not condition:
        raise UsageError(text)


def require_known(owner: object, **choices: Collection) -> None:
    """Raises `UsageError` unless each named attribute of `owner` is among its choices."""
    for name, known in choices.items():
        value = getattr(owner, name)
        listed = ", ".join(map(str, known))
        require(value in known, f"{name}={value!r} is not known: use one of {listed}")
