"""Masks of MediaPipe's pose network: the person, divided into head, upper and lower body."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from tfreid.errors import DataError
from tfreid.masks.pictures import Box, enlarged, largest, require_person, rgb
from tfreid.masks.regions import GRID, region_distances
from tfreid.masks.runtime import FileNetwork, Shape, file_network
from tfreid.records.images import RejectedError, UnsureError
from tfreid.records.mask_maker import Mask

SIDE_PX = 256
_MARGIN = 1.25
"""Side of the square that the network sees, as a multiple of the image's longer side."""

_LANDMARKS, _PRESENCE, _PERSON = (1, 195), (1, 1), (1, SIDE_PX, SIDE_PX, 1)
_LANDMARK_VALUES = 5  # x, y, z, visibility, presence


@dataclass(frozen=True)
class PoseMaker:
    """Makes masks with MediaPipe's pose network (BlazePose GHUM).

    It can be sent to other processes; each opens the network once.

    Attributes:
      path: its `.tflite` file.
      sha256: of the file.
      min_presence: least presence of a person, in [0, 1], at which it is confident.
    """

    path: str
    sha256: str = ""
    min_presence: float = 0.5
    name: ClassVar[str] = "mediapipe_pose"
    vocabulary: ClassVar[str] = "regions4"

    @property
    def facts(self) -> dict[str, object]:
        """What `dataset.json` keeps of it."""
        return {
            "network": self.name,
            "sha256": self.sha256,
            "vocabulary": self.vocabulary,
            "min_presence": self.min_presence,
        }

    @classmethod
    def of(cls, path: Path, sha256: str) -> "PoseMaker":
        """Opens the network here, so that what is wrong shows before workers start.

        Raises:
          UsageError: if the library that runs it is missing.
          DataError: if the file is no such network.
        """
        maker = cls(str(path), sha256)
        maker._network()
        return maker

    def __call__(self, images: Sequence[bytes]) -> list[Mask]:
        """Makes masks; see `tfreid.records.mask_maker.MaskMaker`.

        Raises:
          DataError: if the file is no such network.
        """
        return [self._mask(image) for image in images]

    def _mask(self, data: bytes) -> Mask:
        try:
            image = rgb(data)
            square, box = _square(image)
            landmarks, presence, person = self._outputs(square)
            if not presence >= self.min_presence:
                raise UnsureError(
                    f"a person with confidence {presence:.2f}, below {self.min_presence:g}"
                )
            return _classes(landmarks, person, image.size, box)
        except (RejectedError, UnsureError) as error:
            return error

    def _outputs(self, square: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Landmarks `[39, 2]` in pixels, presence, and logits of the person `[side, side]`."""
        network, by_shape = self._network()
        found = network(square)
        landmarks = found[by_shape[_LANDMARKS]].reshape(-1, _LANDMARK_VALUES)[:, :2]
        person = found[by_shape[_PERSON]][0, :, :, 0]
        return landmarks, float(found[by_shape[_PRESENCE]][0, 0]), person

    def _network(self) -> tuple[FileNetwork, dict[Shape, str]]:
        """The network, and the names of its outputs by their shapes."""
        network = file_network(self.path)
        by_shape = {shape: name for name, shape in network.outputs.items()}
        if not {_LANDMARKS, _PRESENCE, _PERSON} <= by_shape.keys():
            raise DataError(
                f"{self.path} is not {self.name}: its outputs are {', '.join(map(str, by_shape))}"
            )
        return network, by_shape


def _square(image: Image.Image) -> tuple[np.ndarray, Box]:
    """The image amid a black square, float32 `[1, side, side, 3]` in [0, 1], and its place."""
    scale = SIDE_PX / (_MARGIN * max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    left, top = (SIDE_PX - width) // 2, (SIDE_PX - height) // 2
    canvas = Image.new("RGB", (SIDE_PX, SIDE_PX))
    canvas.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    pixels = np.asarray(canvas, np.float32)[None] / 255
    return pixels, (left, top, left + width, top + height)


def _classes(
    landmarks: np.ndarray, person: np.ndarray, size: tuple[int, int], box: Box
) -> np.ndarray:
    """Gives each pixel of the person to the nearest part of the body, uint8 `[height, width]`."""
    inside = require_person(enlarged(person, size, box) > 0)
    on_grid = tuple(side * GRID / SIDE_PX for side in box)
    distances = region_distances(landmarks, SIDE_PX)
    return np.where(inside, 1 + largest(-distances, size, on_grid), 0).astype(np.uint8)
