"""Trained models that come with the package; `--model` takes their names."""

from pathlib import Path

__all__ = ["FOLDER", "MODELS", "STARTER", "card_of", "path_of"]

FOLDER = Path(__file__).parent

STARTER = "starter"
"""The model of those who have none of their own yet."""

MODELS = (STARTER,)
"""Each in the folder of its name: an export, and `CARD.md`, which says what it is and is not."""


def path_of(model: str) -> Path | None:
    """Returns the export of a name, or None where there is none of that name.

    A folder of the user's that is called so is given as `./starter`.
    """
    return FOLDER / model if model in MODELS else None


def card_of(model: str) -> str:
    """Returns what a model's card says: how it was trained, what it reaches, its limits."""
    return (FOLDER / model / "CARD.md").read_text()
