"""The file cuhk-03.mat, all images of CUHK03 in MATLAB's format 7.3, which is HDF5.

HDF5 has MATLAB's arrays with their dimensions in reverse, and cells as arrays of references:

- `detected`, `labeled`: a reference for each of 5 camera pairs, to references `[10, persons]`, to
  uint8 images `[3, width, height]`, or to something of fewer dimensions where there is no image.
  Of the 10 views of a person, camera 1 of the pair has the first five, camera 2 the others.
- `testsets`: 20 references to float64 `[2, persons]`: camera pairs and persons, from 1.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfreid.errors import DataError

if TYPE_CHECKING:
    import h5py

VIEWS_OF_A_CAMERA = 5

_UNLIKE = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
"""What h5py raises, beside OSError, where a file is not built as expected."""


@dataclass(frozen=True)
class MatImage:
    """An image of the file: a `Part`. All numbers start at 1.

    Attributes:
        boxes: `detected` or `labeled`.
        pair: The pair of cameras.
        person: The person, within the pair.
        view: The view: 1 to 5 of camera 1, 6 to 10 of camera 2.
    """

    boxes: str
    pair: int
    person: int
    view: int

    @property
    def camera_id(self) -> int:
        """1 or 2: which camera of the pair."""
        return 1 if self.view <= VIEWS_OF_A_CAMERA else 2

    @property
    def person_id(self) -> int:
        """As `person_id`."""
        return person_id(self.pair, self.person)

    @property
    def name(self) -> str:
        """The image's name where the file has been unpacked: pair, person, camera and view."""
        return f"{self.pair}_{self.person:03}_{self.camera_id}_{self.view:02}"

    def pixels(self, path: str) -> np.ndarray:
        """Reads the image; `Part.pixels`."""
        file = _opened(path)
        try:
            views = file[file[self.boxes][()].flat[self.pair - 1]]
            pixels = file[views[self.view - 1, self.person - 1]][()]
        except _UNLIKE as error:
            raise ValueError(f"no {self.boxes} image {self.name} ({error})") from error
        if pixels.ndim != 3 or pixels.shape[0] != 3 or pixels.dtype != np.uint8:
            raise ValueError(
                f"{self.boxes} image {self.name}: expected uint8 [3, width, height], "
                f"found {pixels.dtype} {list(pixels.shape)}"
            )
        return np.ascontiguousarray(pixels.transpose(2, 1, 0))


def person_id(pair: int, person: int) -> int:
    """Numbers a person of a camera pair, both from 1, among those of all pairs: 2017 is 17 of 2."""
    return 1000 * pair + person


@functools.lru_cache(maxsize=1)
def _opened(path: str) -> "h5py.File":
    """Opens the file once a process: a worker reads many of its images."""
    import h5py

    return h5py.File(path, "r")


def list_images(path: Path, boxes: str) -> list[MatImage]:
    """Lists the images without reading them, by pair, person and view.

    Args:
        path: The file.
        boxes: `detected` or `labeled`.

    Raises:
        DataError: The file is damaged or another.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return list(_images(file, boxes))
    except (OSError, *_UNLIKE) as error:
        raise _unlike(path, f"camera pairs, persons and views in {boxes}", error) from error


def _images(file: "h5py.File", boxes: str) -> Iterator[MatImage]:
    for pair, reference in enumerate(file[boxes][()].flat, start=1):
        views = file[reference][()]
        if views.shape[0] != 2 * VIEWS_OF_A_CAMERA:
            raise ValueError(f"references of shape {list(views.shape)}")
        for person, of_person in enumerate(views.T, start=1):
            for view, image in enumerate(of_person, start=1):
                if image and file[image].ndim == 3:
                    yield MatImage(boxes, pair, person, view)


def read_test_sets(path: Path) -> list[tuple[int, ...]]:
    """Reads the published test sets.

    Args:
        path: The file.

    Returns:
        The person IDs of each, ascending.

    Raises:
        DataError: The file is damaged or another.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return [
                tuple(sorted(person_id(int(pair), int(person)) for pair, person in file[r][()].T))
                for r in file["testsets"][()].flat
            ]
    except (OSError, *_UNLIKE) as error:
        raise _unlike(path, "the test sets in testsets", error) from error


def _unlike(path: Path, expected: str, error: Exception) -> DataError:
    return DataError(
        f"{path}: expected the MATLAB 7.3 file of CUHK03 with {expected}, found otherwise "
        f"({error}): unpack it again"
    )
