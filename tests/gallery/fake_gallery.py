"""A gallery in memory, whose descriptor of a picture is its mean colour."""

import io
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from PIL import Image

from tfreid.datasets.files import DECODED_FORMATS
from tfreid.errors import DataError, UsageError
from tfreid.gallery import Answer, Line, Match, NewImage
from tfreid.gallery.checks import checked


class RefusedPicturesError(UsageError, DataError):
    """As `RefusedImagesError`, whose module loads TensorFlow."""


class FakeGallery:
    """What the page and the API need of a `Gallery`.

    Args:
      line: where "nobody" begins; None if that cannot be told.
    """

    def __init__(self, line: float | None = 0.05):
        self._line = line
        self._images: list[NewImage | None] = []  # Places are numbers.
        self.actors: list[str] = []
        self.searches: list[dict] = []
        self.expired = 0

    def enrol(self, images: Sequence[NewImage], actor: str) -> int:
        images = [checked(image) for image in images]
        for image in images:
            _descriptor(image.file, image.name)
            if image.name in {one.name for one in self._there()}:
                raise UsageError(f"name={image.name!r} is that of another image")
        self.actors.append(actor)
        self._images += images
        return len(images)

    def search(self, files: Sequence[bytes], **asked) -> Answer:
        self.searches.append({"files": len(files), **asked})
        query = np.mean([_descriptor(file, "picture 1") for file in files], axis=0)
        matches = [
            self._match(place, float(np.abs(query - _descriptor(image.file, "")).mean()))
            for place, image in enumerate(self._images)
            if image and (not asked["cameras"] or image.camera in asked["cameras"])
        ]
        matches = sorted(matches, key=lambda one: one.distance)[: asked["top"]]
        if self._line is None:
            return Answer(None, tuple(matches), None, "too few persons are enrolled")
        line = Line(self._line, 0.01, 0.004, 0.021, len(self.persons()), 0.87)
        is_known = bool(matches) and matches[0].distance <= self._line
        return Answer(matches[0].person if is_known else None, tuple(matches), line)

    def forget(self, *, person=None, image=None, older_than=None, actor: str) -> int:
        self.actors.append(actor)
        gone = [
            place
            for place, one in enumerate(self._images)
            if one and (one.person == person or one.name == image)
        ]
        for place in gone:
            self._images[place] = None
        return len(gone)

    def expire(self, actor: str) -> int:
        self.expired += 1
        return 0

    def persons(self) -> list[tuple[str, int]]:
        people = [one.person for one in self._there()]
        return [(name, people.count(name)) for name in sorted(set(people))]

    def cameras(self) -> list[str]:
        return sorted({one.camera for one in self._there() if one.camera})

    def thumbnail(self, image: int) -> bytes | None:
        there = image < len(self._images) and self._images[image]
        if not there:
            return None
        buffer = io.BytesIO()
        Image.open(io.BytesIO(there.file)).convert("RGB").save(buffer, "JPEG")
        return buffer.getvalue()

    def stored(self, person: str) -> dict:
        images = [one.name for one in self._there() if one.person == person]
        if not images:
            raise UsageError(f"the gallery has nobody called {person!r}")
        return {"person": person, "images": images}

    def overlay(self, file: bytes) -> bytes | None:
        _descriptor(file, "picture 1")
        if not file.startswith(b"\x89PNG"):
            return None
        buffer = io.BytesIO()
        Image.open(io.BytesIO(file)).resize((40, 40)).save(buffer, "PNG")
        return buffer.getvalue()

    def status(self) -> dict:
        return {
            "persons": len(self.persons()),
            "images": len(self._there()),
            "keep_images": False,
            "expire_days": 30,
        }

    def _there(self) -> list[NewImage]:
        return [one for one in self._images if one]

    def _match(self, place: int, distance: float) -> Match:
        one = self._images[place]
        taken_at: datetime | None = one.taken_at
        return Match(place, one.name, one.person, one.camera, taken_at, distance)


def _descriptor(file: bytes, name: str) -> np.ndarray:
    try:
        pixels = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
    except OSError:
        raise RefusedPicturesError(f"{name}: no image file, expected {DECODED_FORMATS}") from None
    return pixels.mean(axis=(0, 1)) / 255
