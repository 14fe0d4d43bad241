"""Masks of a data set's images: the parsing network at each image's own size."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfreid.datasets import ParsingRow, Row
from tfreid.datasets.files import MAX_IMAGE_MPX
from tfreid.files import bytes_of, require_space
from tfreid.inputs import decode_image, resize_image
from tfreid.methods.parsing.parser import Parser
from tfreid.records.images import RejectedError, read_image


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

    def parse(self, images: Sequence[bytes]) -> list[np.ndarray | RejectedError]:
        """Parses a batch; no mask depends on the others.

        Args:
          images: contents of JPEG, PNG or BMP files.

        Returns:
          For each image the class indices, uint8 `[height, width]` of its size, or why it cannot
          be decoded.
        """
        decoded = [_decoded(image) for image in images]
        resized = [resize_image(image, self.image_size_px) for image in decoded if _is_whole(image)]
        logits = iter(self._logits(tf.stack(resized)) if resized else ())
        return [
            _classes(next(logits), image.shape[:2]) if _is_whole(image) else image
            for image in decoded
        ]


def parse_rows(
    parser: ImageParser,
    rows: Sequence[Row | ParsingRow],
    batch_size: int = 64,
    max_image_mpx: float = MAX_IMAGE_MPX,
) -> Iterator[np.ndarray | RejectedError]:
    """Parses images as they lie on the disk.

    Args:
      parser: makes the masks.
      rows: of one data set or several; each is read as conversion reads it.
      batch_size: images in a batch; no mask depends on it.
      max_image_mpx: megapixels of the largest image.

    Yields:
      For each row the class indices, uint8 `[height, width]` of the image's size, or what is
      wrong with the image.
    """
    for start in range(0, len(rows), batch_size):
        images = [_read(row, max_image_mpx) for row in rows[start : start + batch_size]]
        masks = iter(parser.parse([image for image in images if _is_whole(image)]))
        yield from (next(masks) if _is_whole(image) else image for image in images)


def require_room(rows: Sequence[Row | ParsingRow], folder: Path) -> None:
    """Raises a UsageError if the disk of a folder has no room for the masks of images."""
    # A mask has few classes in large areas: it takes less than its image.
    require_space(folder, bytes_of({row.image_path for row in rows}), "the masks")


def _read(row: Row | ParsingRow, max_image_mpx: float) -> bytes | RejectedError:
    try:
        return read_image(row.image_path, row.image_part, max_image_mpx)[0]
    except RejectedError as error:
        return error


def _decoded(image: bytes) -> tf.Tensor | RejectedError:
    try:
        return decode_image(image)
    except tf.errors.InvalidArgumentError as error:
        return RejectedError(f"TensorFlow cannot decode the image: {error}")


def _is_whole(image: tf.Tensor | bytes | RejectedError) -> bool:
    return not isinstance(image, RejectedError)


def _classes(logits: tf.Tensor, size_px: tuple[int, int]) -> np.ndarray:
    return tf.argmax(tf.image.resize(logits, size_px), axis=-1).numpy().astype(np.uint8)
