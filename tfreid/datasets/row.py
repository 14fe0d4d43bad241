"""What a reader returns: one row an image, before any file is opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from tfreid.datasets.parts import Part

JUNK_PERSON_ID = -1
"""Person ID of detections that evaluation ignores, whoever is asked for."""

DISTRACTOR_PERSON_ID = 0
"""Person ID of gallery images that show none of the queried persons."""

NO_CAMERA_ID = 0
"""Camera ID of every row of a data set that does not say which camera saw what; no camera's."""


@dataclass(frozen=True, slots=True)
class Row:
    """An image of a person, for re-identification.

    Attributes:
        image_path: The image file.
        person_id: As published; `JUNK_PERSON_ID` and `DISTRACTOR_PERSON_ID` are no persons.
        camera_id: As published; `NO_CAMERA_ID` throughout where cameras are not known.
        split: The image's part in the protocol.
        key: `<data set>/<relative path without extension>`: stable, readable and unique in the
            data set.
        mask_path: A PNG of class indices of the image's size, where there is one.
        image_part: Where in the image file the image lies; None for the whole file.
    """

    image_path: str
    person_id: int
    camera_id: int
    split: Literal["train", "query", "gallery"]
    key: str
    mask_path: str | None = None
    image_part: Part | None = None
    mask_part: ClassVar[None] = None

    @property
    def is_person(self) -> bool:
        """Whether the image shows a labelled person, neither junk nor distractor."""
        return self.person_id not in (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID)


@dataclass(frozen=True, slots=True)
class ParsingRow:
    """An image with its label map, for training a human parser.

    Attributes:
        image_path: The image file.
        mask_path: A PNG of class indices of the image's size, or the file that `mask_part` reads.
        split: The image's part in the protocol.
        key: As `Row.key`.
        image_part: As `Row.image_part`.
        mask_part: Where in the mask file the mask lies; None for the whole file.
    """

    image_path: str
    mask_path: str
    split: Literal["train", "val"]
    key: str
    image_part: Part | None = None
    mask_part: Part | None = None


def cameras_known(rows: Iterable[Row]) -> bool:
    """Tells whether rows say which camera saw what: one camera throughout says nothing."""
    return len({row.camera_id for row in rows}) > 1
