"""Masks of the parsing network of a trained run."""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.inputs import resize_image
from tfreid.masks.pictures import decoded, require_person
from tfreid.methods.parsing import Parser
from tfreid.records.images import RejectedError, UnsureError
from tfreid.records.mask_maker import Mask
from tfreid.training import Run

_LOADING = threading.Lock()


@dataclass(frozen=True)
class RunMaker:
    """Makes masks with the parsing network of a run.

    It can be sent to other processes; each loads the network once.

    Attributes:
      run: folder of the run.
      vocabulary: of the masks.
    """

    run: str
    vocabulary: str

    @classmethod
    def of(cls, path: str | Path) -> "RunMaker":
        """Loads the network of a run, of `method=parsing` or of a method that has one.

        Raises:
          UsageError: if the run has no parsing network.
          MissingPathError, DataError: as for `Run.model`.
        """
        run = str(Path(path).expanduser().resolve())
        return cls(run, _loaded(run).vocabulary)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.run

    @property
    def facts(self) -> dict[str, object]:
        """What `dataset.json` keeps of it."""
        return {"run": self.run, "vocabulary": self.vocabulary}

    def __call__(self, images: Sequence[bytes]) -> list[Mask]:
        """Makes masks; see `tfreid.records.mask_maker.MaskMaker`."""
        return _loaded(self.run).parse(images)


class ImageParser:
    """Parses images of any size with a network that sees them all at one size.

    The logits are resized bilinearly to the image's size before the class is chosen, so that
    outlines are smooth.

    Args:
      network: a trained parsing network.
      image_size_px: height, width of its input.
    """

    def __init__(self, network: Parser, image_size_px: tuple[int, int]):
        self.vocabulary = network.vocabulary
        self.image_size_px = image_size_px
        self._logits = tf.function(
            lambda images: network(images, training=False)["logits"],
            input_signature=[tf.TensorSpec((None, *image_size_px, 3), tf.float32)],
        )

    def parse(self, images: Sequence[bytes]) -> list[Mask]:
        """Parses a batch; no mask depends on the others.

        Args:
          images: contents of JPEG, PNG or BMP files.

        Returns:
          For each image the class indices, uint8 `[height, width]` of its size, or why there are
          none: it cannot be decoded, or no person is found in it.
        """
        tried = [_decoded(image) for image in images]
        whole = [image for image in tried if not isinstance(image, RejectedError)]
        resized = [resize_image(image, self.image_size_px) for image in whole]
        logits = iter(self._logits(tf.stack(resized)) if resized else ())
        return [
            image if isinstance(image, RejectedError) else _mask(next(logits), image.shape[:2])
            for image in tried
        ]


def _load(path: str) -> ImageParser:
    run = Run(path)
    network = run.model if isinstance(run.model, Parser) else getattr(run.model, "parser", None)
    if network is None:
        raise UsageError(
            f"the run {path} of {run.method.name} has no parsing network: give a run of "
            "method=parsing, or of a method that learns to parse"
        )
    return ImageParser(network, getattr(run.recipe, "parsing", run.recipe).image_size_px)


_load_once: Callable[[str], ImageParser] = functools.lru_cache(maxsize=1)(_load)


def _loaded(run: str) -> ImageParser:
    with _LOADING:
        return _load_once(run)


def _decoded(image: bytes) -> tf.Tensor | RejectedError:
    try:
        return decoded(image)
    except RejectedError as error:
        return error


def _mask(logits: tf.Tensor, size_px: tuple[int, int]) -> Mask:
    classes = tf.argmax(tf.image.resize(logits, size_px), axis=-1).numpy().astype(np.uint8)
    try:
        return require_person(classes)
    except UnsureError as error:
        return error
