"""Masks of a segmentation network in a `.tflite` or `.onnx` file, which a description explains.

Beside `person.onnx` lies `person.onnx.json`, for example

    {"vocabulary": "binary", "classes": [0, 0, 1], "mean": [123.7, 116.3, 103.5],
     "deviation": [58.4, 57.1, 57.4], "size_px": [256, 128]}
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tfreid.datasets import VOCABULARIES
from tfreid.errors import DataError, MissingPathError
from tfreid.files import read_json
from tfreid.masks.pictures import enlarged, largest, require_person, rgb
from tfreid.masks.runtime import FileNetwork, Shape, file_network
from tfreid.records.images import RejectedError, UnsureError
from tfreid.records.mask_maker import Mask

Pixel = tuple[float, float, float]


@dataclass(frozen=True)
class Description:
    """What a file does not say of its network, as JSON beside it.

    The whole image is stretched to the network's input. The output that counts has the scores of
    the classes, `[1, height, width, classes]` or `[1, classes, height, width]`; of the largest
    score is the pixel.

    Attributes:
      vocabulary: of the masks, a key of `tfreid.datasets.VOCABULARIES`.
      classes: for each class of the network, the vocabulary's; None where they are the same.
      mean: of red, green and blue in [0, 255], subtracted first.
      deviation: what the difference is divided by; by default colours end in [0, 1].
      colours: `rgb` or `bgr`, the order that the network takes.
      size_px: height, width of an input whose size the file leaves open.
      output: name of the output with the scores, where there are several.
      threshold: score above which a network with a single score a pixel, whose vocabulary is
        `binary`, sees a person: 0 for logits, 0.5 for probabilities.
    """

    vocabulary: str
    classes: tuple[int, ...] | None = None
    mean: Pixel = (0.0, 0.0, 0.0)
    deviation: Pixel = (255.0, 255.0, 255.0)
    colours: str = "rgb"
    size_px: tuple[int, int] | None = None
    output: str = ""
    threshold: float = 0.0

    def __post_init__(self):
        """Refuses what cannot be, with a `ValueError`."""
        for name, known in (("vocabulary", (*VOCABULARIES,)), ("colours", ("rgb", "bgr"))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name}: expected one of {', '.join(known)}, found {getattr(self, name)!r}"
                )
        last = len(VOCABULARIES[self.vocabulary]) - 1
        if any(not 0 <= each <= last for each in self.classes or ()):
            raise ValueError(f"classes: expected numbers from 0 to {last}, found {self.classes}")
        if min(self.deviation) <= 0 or (self.size_px and min(self.size_px) <= 0):
            raise ValueError("deviation and size_px: expected values above 0")


@dataclass(frozen=True)
class Segmenter:
    """Makes masks with a network of a file.

    It can be sent to other processes; each opens the network once.

    Attributes:
      path: the file.
      description: what it does not say itself.
      sha256: of the file.
    """

    path: str
    description: Description
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Segmenter":
        """Opens a network and the description beside it.

        Raises:
          UsageError: if a file, or the library that runs it, is missing.
          DataError: if the description does not describe the network.
        """
        beside = path.with_name(f"{path.name}.json")
        network = file_network(str(path.resolve()))
        if not beside.is_file():
            raise MissingPathError(
                f"what {path} takes and gives is to be said in {beside}, and there is no such "
                'file: write one, at least {"vocabulary": "binary"}'
            )
        description = read_json(beside, Description)
        try:
            _layout(network, description)
        except ValueError as error:
            raise DataError(f"{path} and {beside.name} do not fit: {error}") from None
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(str(path.resolve()), description, digest)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path

    @property
    def vocabulary(self) -> str:
        """Of the masks."""
        return self.description.vocabulary

    @property
    def facts(self) -> dict[str, object]:
        """What `dataset.json` keeps of it."""
        return {"network": self.path, "sha256": self.sha256, "vocabulary": self.vocabulary}

    def __call__(self, images: Sequence[bytes]) -> list[Mask]:
        """Makes masks; see `tfreid.records.mask_maker.MaskMaker`."""
        return [self._mask(image) for image in images]

    def _mask(self, data: bytes) -> Mask:
        try:
            image = rgb(data)
            network = file_network(self.path)
            layout = _layout(network, self.description)
            scores = network(layout.input(image))[layout.output][0]
            scores = scores if layout.channels_first_out else np.moveaxis(scores, -1, 0)
            return require_person(self._classes(scores, image.size))
        except (RejectedError, UnsureError) as error:
            return error

    def _classes(self, scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """From scores `[classes, rows, columns]` to classes `[height, width]` of the vocabulary."""
        if len(scores) == 1:
            return (enlarged(scores[0], size) > self.description.threshold).astype(np.uint8)
        table = self.description.classes or range(len(scores))
        return np.asarray(table, np.uint8)[largest(scores, size)]


@dataclass(frozen=True)
class _Layout:
    """How a network takes an image, and where its scores are."""

    description: Description
    size_px: tuple[int, int]
    channels_first: bool
    output: str
    channels_first_out: bool

    def input(self, image: Image.Image) -> np.ndarray:
        """The whole image as the network takes it, float32 with a first axis of 1."""
        said = self.description
        small = image.resize(self.size_px[::-1], Image.Resampling.BILINEAR)
        pixels = (np.asarray(small, np.float32) - np.float32(said.mean)) / np.float32(
            said.deviation
        )
        pixels = pixels if said.colours == "rgb" else pixels[..., ::-1]
        pixels = np.moveaxis(pixels, -1, 0) if self.channels_first else pixels
        return np.ascontiguousarray(pixels[None])


def _layout(network: FileNetwork, said: Description) -> _Layout:
    """Reads off the shapes what they say.

    Raises:
      ValueError: if they contradict the description, or do not say enough.
    """
    shape = network.input_shape
    if len(shape) != 4 or shape[0] not in (1, None) or 3 not in (shape[1], shape[3]):
        raise ValueError(f"the input is {_text(shape)}: expected one image of three colours")
    first = shape[3] != 3
    size = shape[2:] if first else shape[1:3]
    if None in size and said.size_px is None:
        raise ValueError(f"the input is {_text(shape)}: give size_px, [height, width]")
    if said.size_px and any(a not in (b, None) for a, b in zip(size, said.size_px, strict=True)):
        raise ValueError(f"size_px is {list(said.size_px)}, the input {_text(shape)}")
    output = said.output or next(iter(network.outputs))
    if output not in network.outputs or (len(network.outputs) > 1 and not said.output):
        raise ValueError(f"output: expected one of {', '.join(network.outputs)}")
    found = network.outputs[output]
    scores = len(said.classes or VOCABULARIES[said.vocabulary])
    expected = {scores} | ({1} if said.vocabulary == "binary" and not said.classes else set())
    if len(found) != 4 or not expected & {found[1], found[3]}:
        raise ValueError(
            f"{output} is {_text(found)}: expected [1, height, width, classes] or [1, classes, "
            f"height, width] with {scores} classes (vocabulary {said.vocabulary}, or classes)"
        )
    size = tuple(said.size_px or size)
    return _Layout(said, size, first, output, found[3] not in expected)


def _text(shape: Shape) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
