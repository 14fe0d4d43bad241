"""What goes into a gallery, and what it answers."""

from dataclasses import dataclass
from datetime import datetime

from tfreid.retrieval import Line


@dataclass(frozen=True)
class NewImage:
    """An image to enrol.

    Attributes:
      name: tells it from all others of the gallery.
      person: whom it shows.
      file: the bytes of a JPEG, PNG or BMP file.
      camera: that took it, where known.
      taken_at: when, with a time zone, where known.
    """

    name: str
    person: str
    file: bytes
    camera: str | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True)
class Match:
    """A stored image.

    Attributes:
      image: its number.
      name: its name.
      person: whom it shows.
      camera: that took it, where known.
      taken_at: when, where known.
      distance: cosine distance to what was searched for, 0 to 2; of models that are matched by
        positions, reconstruction distance, 0 to 1.
    """

    image: int
    name: str
    person: str
    camera: str | None
    taken_at: datetime | None
    distance: float


@dataclass(frozen=True)
class Answer:
    """Who it is, or nobody.

    Attributes:
      person: of the nearest image if that is within the line; None for nobody.
      matches: the nearest images, also those beyond the line.
      line: None where the gallery cannot tell one; then `person` is None, too.
      reason: why there is none.
      recall: of an approximate search, which share of the nearest images it finds; None if exact.
    """

    person: str | None
    matches: tuple[Match, ...]
    line: Line | None
    reason: str = ""
    recall: float | None = None
