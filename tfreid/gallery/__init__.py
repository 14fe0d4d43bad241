"""A gallery of persons: who is this, or nobody; PostgreSQL keeps it.

What needs TensorFlow or the page's libraries is imported from its own module; the rest is loaded
when it is used, as commands answer mistakes before they load anything.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfreid.gallery.answers import Answer, Match, NewImage
    from tfreid.gallery.database import Database
    from tfreid.gallery.gallery import Gallery
    from tfreid.retrieval import FPIR, Line

__all__ = ["FPIR", "Answer", "Database", "Gallery", "Line", "Match", "NewImage"]

_MODULES = {
    **dict.fromkeys(("Answer", "Match", "NewImage"), "tfreid.gallery.answers"),
    **dict.fromkeys(("FPIR", "Line"), "tfreid.retrieval"),
    "Database": "tfreid.gallery.database",
    "Gallery": "tfreid.gallery.gallery",
}


def __getattr__(name: str) -> Any:
    """Loads a name of `__all__` when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'tfreid.gallery' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
