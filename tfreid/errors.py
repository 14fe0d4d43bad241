"""Errors whose text is meant for the user; commands print them without a traceback."""


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
