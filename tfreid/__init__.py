"""Person re-identification that sees the person, not the background."""

__version__ = "0.1.0"
