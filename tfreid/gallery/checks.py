"""What a gallery can store, and what it can be asked for."""

import dataclasses
import unicodedata

from tfreid.errors import UsageError, require
from tfreid.gallery.answers import NewImage

_MOST_CHARACTERS = 500
"""Of a name: PostgreSQL's indexes take 2,700 bytes, and people's tables less."""

_MOST_DAYS = 36_500

_ANSWERS = (
    *("nobody", "cannot be told"),
    *("nobody we know", "it cannot be told", "that did not work"),
)
"""What the command line and the page say in place of a name."""


def check_settings(fpir: float, expire_days: int | None) -> None:
    """Makes sure that a rate and a retention mean something.

    Raises:
      UsageError: naming the one that does not.
    """
    require(0 < fpir < 1, f"fpir={fpir:g}: expected a share above 0 and below 1")
    days = 1 if expire_days is None else expire_days
    require(1 <= days <= _MOST_DAYS, f"expire_days={days}: expected 1 to {_MOST_DAYS:,}, or none")


def one_form(name: str) -> str:
    """Returns a name as it is stored: of those that look alike, the composed form (NFC)."""
    return unicodedata.normalize("NFC", name)


def checked(image: NewImage) -> NewImage:
    """Returns an image with its names in one form.

    Raises:
      UsageError: naming what of them cannot be stored.
    """
    camera = None if image.camera is None else one_form(image.camera)
    name, person = one_form(image.name), one_form(image.person)
    image = dataclasses.replace(image, name=name, person=person, camera=camera)
    require_text("name", image.name)
    require_text("person", image.person)
    if image.person.strip().casefold() in _ANSWERS:
        raise UsageError(
            f"{image.name}: a person called {image.person!r} could not be told from an answer "
            "that names no one: choose another name"
        )
    if image.camera is not None:
        require_text("camera", image.camera)
    if image.taken_at is None:
        return image
    if image.taken_at.tzinfo is None:
        raise UsageError(f"{image.name}: taken_at={image.taken_at} has no time zone: give one")
    # Elsewhere on earth it may be in a year that Python does not have.
    if not 1 < image.taken_at.year < 9999:
        raise UsageError(f"{image.name}: taken_at={image.taken_at}: expected the year of a picture")
    return image


def require_text(what: str, value: str) -> None:
    """Makes sure that a text is a name.

    Raises:
      UsageError: if it is empty, long, or has characters that are not printed.
    """
    # Names of "." and ".." would have no address in the API.
    if not value.strip() or not value.isprintable() or value in (".", ".."):
        raise UsageError(f"{what}={value!r}: expected a name of printable characters")
    if len(value) > _MOST_CHARACTERS:
        raise UsageError(
            f"{what}={value[:40]!r}… has {len(value)} characters: at most {_MOST_CHARACTERS} "
            "are stored"
        )
