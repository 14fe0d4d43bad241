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
        self._gallery = gallery
        self._camera_filter = camera_filter
        order = np.argsort(gallery.person, kind="stable")
        ids, starts = np.unique(gallery.person[order], return_index=True)
        self._images = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=False))
        self.distractors = self._images.pop(DISTRACTOR_PERSON_ID, _NO_IMAGES)

    @property
    def persons(self) -> list[int]:
        """The persons in the gallery, ascending; distractors are none."""
        return list(self._images)

    def images(self, person: int) -> np.ndarray:
        """Returns the ascending columns of a person's images; distractors and junk have none."""
        return self._images.get(person, _NO_IMAGES)

    def find(self, person: int, camera: int) -> tuple[np.ndarray, np.ndarray]:
        """Finds what a query could match.

        Args:
          person: the query's person ID.
          camera: the query's camera ID.

        Returns:
          Ascending columns `[same]` of the images of the query's person, and a mask `[same]` of
          those that are true matches; the others are left out for this query.
        """
        same = self.images(person)
        if self._camera_filter:
            return same, self._gallery.camera[same] != camera
        return same, np.ones(len(same), bool)

    def judge(self, columns: np.ndarray, person: int, camera: int) -> tuple[np.ndarray, np.ndarray]:
        """Tells what some images are to a query.

        Args:
          columns: `[n]` columns of gallery images.
          person: the query's person ID.
          camera: the query's camera ID.

        Returns:
          Two masks `[n]`: valid images, which are not left out for this query, and true matches.
        """
        images = self._gallery[columns]
        same = (images.person == person) & (person in self._images)
        true = same & (images.camera != camera) if self._camera_filter else same
        return true | ~same, true
