"""Folders whose names are the numbers of a model's versions."""

import os
import re
from pathlib import Path

MAX_VERSION = 2**63 - 1
"""TensorFlow Serving's protocol has no room for a higher one."""


def version_of(folder: Path) -> int | None:
    """Returns the number that a folder is named, of any size; None where it is no number."""
    name = os.path.basename(os.path.abspath(folder))  # "." has a name, too.
    return int(name) if re.fullmatch("[0-9]+", name) else None
