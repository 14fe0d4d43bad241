"""Masks of image files: the parsing network at each image's own size."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfreid.inputs import decode_image, resize_image
from tfreid.methods.parsing.model import ParsingNetwork


def parse_files(
    network: ParsingNetwork,
    image_size_px: tuple[int, int],
    paths: Sequence[str | Path],
    batch_size: int = 64,
) -> Iterator[np.ndarray | None]:
    """Parses image files.

    The logits are resized bilinearly to the image's size before the class is chosen, so that
    outlines are smooth.

    Args:
      network: a trained parsing network.
      image_size_px: height, width of its input.
      paths: JPEG, PNG or BMP files.
      batch_size: images in a batch; no mask depends on it.

    Yields:
      For each path the class indices, uint8 `[height, width]` of the image's size, or None if the
      file cannot be decoded.
    """

    @tf.function(input_signature=[tf.TensorSpec((None, *image_size_px, 3), tf.float32)])
    def logits_of(images):
        return network(images, training=False)["logits"]

    for start in range(0, len(paths), batch_size):
        images = [_decoded(path) for path in paths[start : start + batch_size]]
        resized = [resize_image(image, image_size_px) for image in images if image is not None]
        logits = iter(logits_of(tf.stack(resized)) if resized else ())
        for image in images:
            yield None if image is None else _classes(next(logits), image.shape[:2])


def _decoded(path: str | Path) -> tf.Tensor | None:
    try:
        return decode_image(Path(path).read_bytes())
    except (OSError, tf.errors.InvalidArgumentError):
        return None


def _classes(logits: tf.Tensor, size_px: tuple[int, int]) -> np.ndarray:
    return tf.argmax(tf.image.resize(logits, size_px), axis=-1).numpy().astype(np.uint8)
