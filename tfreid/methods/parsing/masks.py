"""Masks of a data set's images: the parsing network at each image's own size."""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfreid.datasets import ParsingRow, Row
from tfreid.inputs import decode_image, resize_image
from tfreid.methods.parsing.model import ParsingNetwork
from tfreid.records.images import RejectedError, read_image


def parse_rows(
    network: ParsingNetwork,
    image_size_px: tuple[int, int],
    rows: Sequence[Row | ParsingRow],
    batch_size: int = 64,
) -> Iterator[np.ndarray | RejectedError]:
    """Parses images as they lie on the disk.

    The logits are resized bilinearly to the image's size before the class is chosen, so that
    outlines are smooth.

    Args:
      network: a trained parsing network.
      image_size_px: height, width of its input.
      rows: of one data set or several; each is read as conversion reads it.
      batch_size: images in a batch; no mask depends on it.

    Yields:
      For each row the class indices, uint8 `[height, width]` of the image's size, or what is
      wrong with the image.
    """

    @tf.function(input_signature=[tf.TensorSpec((None, *image_size_px, 3), tf.float32)])
    def logits_of(images):
        return network(images, training=False)["logits"]

    for start in range(0, len(rows), batch_size):
        images = [_decoded(row) for row in rows[start : start + batch_size]]
        resized = [resize_image(image, image_size_px) for image in images if _is_whole(image)]
        logits = iter(logits_of(tf.stack(resized)) if resized else ())
        for image in images:
            yield _classes(next(logits), image.shape[:2]) if _is_whole(image) else image


def _decoded(row: Row | ParsingRow) -> tf.Tensor | RejectedError:
    try:
        return decode_image(read_image(row.image_path, row.image_part)[0])
    except RejectedError as error:
        return error
    except tf.errors.InvalidArgumentError as error:
        return RejectedError(f"TensorFlow cannot decode the image ({error}): {row.image_path}")


def _is_whole(image: tf.Tensor | RejectedError) -> bool:
    return not isinstance(image, RejectedError)


def _classes(logits: tf.Tensor, size_px: tuple[int, int]) -> np.ndarray:
    return tf.argmax(tf.image.resize(logits, size_px), axis=-1).numpy().astype(np.uint8)
