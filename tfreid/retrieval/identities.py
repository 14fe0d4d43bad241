"""Who is on each image, which camera took it, and where in a gallery a person's images are."""

from dataclasses import dataclass

import numpy as np

from tfreid.datasets.row import DISTRACTOR_PERSON_ID

_NO_IMAGES = np.empty(0, np.intp)


@dataclass(frozen=True)
class Identities:
    """Who is on each image and which camera took it.

    Attributes:
      person: `[n]` integers, person IDs as published.
      camera: `[n]` integers, camera IDs.
    """

    person: np.ndarray
    camera: np.ndarray

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self.person)

    def __getitem__(self, chosen: np.ndarray | slice) -> "Identities":
        """Returns those of some images, by their indices or by a mask."""
        return Identities(self.person[chosen], self.camera[chosen])


class PersonIndex:
    """Finds the gallery images of a person without comparing every query with every image."""

    def __init__(self, gallery: Identities, camera_filter: bool):
        """Sorts the images by person.

        Args:
          gallery: identities of the gallery images, none of them junk.
          camera_filter: a true match was taken by another camera than the query.
        """
        self._camera = gallery.camera
        self._camera_filter = camera_filter
        order = np.argsort(gallery.person, kind="stable")
        ids, starts = np.unique(gallery.person[order], return_index=True)
        self._images = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=False))
        self.distractors = self._images.pop(DISTRACTOR_PERSON_ID, _NO_IMAGES)

    @property
    def persons(self) -> list[int]:
        """The persons in the gallery, ascending; distractors are none."""
        return list(self._images)

    def find(self, person: int, camera: int) -> tuple[np.ndarray, np.ndarray]:
        """Finds what a query could match.

        Args:
          person: the query's person ID.
          camera: the query's camera ID.

        Returns:
          Ascending columns `[same]` of the images of the query's person, and a mask `[same]` of
          those that are true matches; the others are left out for this query.
        """
        same = self._images.get(person, _NO_IMAGES)
        if self._camera_filter:
            return same, self._camera[same] != camera
        return same, np.ones(len(same), bool)
