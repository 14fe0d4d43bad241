"""From encoded bytes to pixels: decoding, mirroring and resizing of images and their masks."""

import numpy as np
import tensorflow as tf

from tfreid.datasets.vocabulary import lookup

_MIRRORED_CLASSES = {
    "lip20": {14: 15, 15: 14, 16: 17, 17: 16, 18: 19, 19: 18},
    "atr18": {9: 10, 10: 9, 12: 13, 13: 12, 14: 15, 15: 14},
}
"""Classes that change places when an image is mirrored: left and right arm, leg and shoe."""


def decode_image(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a JPEG, PNG or BMP file.

    Args:
      encoded: string scalar, the file's bytes.

    Returns:
      RGB, uint8 `[height, width, 3]`.
    """
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(image, [None, None, 3])


def decode_mask(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a one-channel PNG of class indices.

    Args:
      encoded: string scalar, the file's bytes.

    Returns:
      Class indices, uint8 `[height, width]`.
    """
    return tf.squeeze(tf.io.decode_png(encoded, channels=1), axis=-1)


def decode_person(encoded: tf.Tensor, vocabulary: str) -> tf.Tensor:
    """Decodes a mask to tell the person from the background.

    Args:
      encoded: as of `decode_mask`.
      vocabulary: of the mask.

    Returns:
      uint8 `[height, width]`, above 0 on the person and on nothing else.
    """
    table, mask = lookup(vocabulary, "binary"), decode_mask(encoded)
    if all(table[1:]):
        return mask
    return converted(mask, tf.constant(table, tf.uint8))


def converted(mask: tf.Tensor, table: tf.Tensor) -> tf.Tensor:
    """Looks classes up.

    Args:
      mask: class indices, uint8 `[height, width]`.
      table: `[classes]`, the new class of each, any dtype.

    Returns:
      `[height, width]` of the table's dtype.
    """
    return tf.gather_nd(table, tf.cast(mask, tf.int32)[..., None])  # Faster than tf.gather.


def mirror(pixels: tf.Tensor, flip: tf.Tensor) -> tf.Tensor:
    """Mirrors left and right where asked to; the classes of a mask stay as they are.

    Args:
      pixels: `[height, width, ...]`, any dtype.
      flip: bool scalar.

    Returns:
      Of the same shape and dtype.
    """
    return tf.cond(flip, lambda: tf.reverse(pixels, [1]), lambda: pixels)


def resize_image(image: tf.Tensor, size_px: tuple[int, int]) -> tf.Tensor:
    """Resizes bilinearly, without anti-aliasing, pixel centres at half-integers.

    Args:
      image: uint8 or float32 `[height, width, 3]`, or a batch of such.
      size_px: height, width of the result.

    Returns:
      float32 `[*size_px, 3]`, or a batch of such, in the range of the input.
    """
    return tf.cast(tf.image.resize(image, size_px, "bilinear"), tf.float32)


def resize_mask(mask: tf.Tensor, size_px: tuple[int, int]) -> tf.Tensor:
    """Resizes to the nearest class, with the pixel grid of `resize_image`.

    Args:
      mask: `[..., height, width]`, any integer dtype.
      size_px: height, width of the result.

    Returns:
      `[..., *size_px]` of the same dtype.
    """
    # Much faster than tf.image.resize, and exact. To gather rows copies them whole, which columns
    # are worth two transpositions for.
    for size in size_px:
        centres = 2 * np.arange(size, dtype=np.int32) + 1
        places = centres * tf.shape(mask)[-2] // (2 * size)
        mask = tf.linalg.matrix_transpose(tf.gather(mask, places, axis=-2))
    return mask


def class_tables(source: str, target: str) -> np.ndarray:
    """Returns the tables that turn a stored mask's classes into those of a batch.

    Args:
      source: vocabulary of the stored masks.
      target: vocabulary wanted.

    Returns:
      uint8 `[2, classes of source]`: row 0 for an image as it is, row 1 for a mirrored one, in
      which left and right limbs have changed places.

    Raises:
      UsageError: if the source cannot be converted to the target.
    """
    plain = lookup(source, target)
    swapped = _MIRRORED_CLASSES.get(source, {})
    mirrored = [plain[swapped.get(index, index)] for index in range(len(plain))]
    return np.array([plain, mirrored], np.uint8)
