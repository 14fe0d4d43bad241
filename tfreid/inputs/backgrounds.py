"""Replaces backgrounds: PGP's random-background augmentation and the variants of its audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfreid.datasets.files import LARGEST_LIMIT_MPX, as_rgb, open_image, upright
from tfreid.errors import DataError

LONGEST_SIDE_PX = 1024
"""Larger background images are scaled down, so that 100 of them take at most 315 MB.

Crops that are larger still are enlarged when they are cut: photographs of 12 megapixels would make
as many take 3.6 GB.
"""


@dataclass(frozen=True)
class Backgrounds:
    """Background images, ready to be cropped.

    Attributes:
      pixels: uint8 `[images, height, width, 3]`, each image in the top left corner.
      sizes_px: int32 `[images, 2]`, height and width of each image.
      owners: int64 `[images, 2]`, person and camera ID of the picture that each was made of; None
        of scenes, which belong to nobody.
      enlarges: whether crops may be larger than images.
    """

    pixels: tf.Tensor
    sizes_px: tf.Tensor
    owners: tf.Tensor | None = None
    enlarges: bool = False

    def crop(self, draw: tf.Tensor, size_px: tf.Tensor, seen: tf.Tensor | None = None) -> tf.Tensor:
        """Cuts a random piece out of a random image.

        Where the images have owners, it is one of another person and, if there is such a one, of
        another camera.

        Args:
          draw: float64 `[3]`, uniform in [0, 1): chooses image, top and left.
          size_px: int32 `[2]`, height and width; unless crops are enlarged, no larger than any of
            the images.
          seen: int64 `[2]`, person and camera ID of the image that gets it; not needed where
            there are no owners.

        Returns:
          uint8 `[height, width, 3]`.
        """
        image = self._chosen(draw[0], seen)
        cut_px = _largest_within(self.sizes_px[image], size_px) if self.enlarges else size_px
        places = tf.cast(self.sizes_px[image] - cut_px + 1, tf.float64)
        corner = tf.cast(draw[1:] * places, tf.int32)
        begin = tf.concat([[image], corner, [0]], axis=0)
        piece = tf.slice(self.pixels, begin, tf.concat([[1], cut_px, [3]], axis=0))[0]
        if not self.enlarges:
            return piece
        return tf.cast(tf.round(tf.image.resize(piece, size_px)), tf.uint8)

    def _chosen(self, draw: tf.Tensor, seen: tf.Tensor | None) -> tf.Tensor:
        """The number of an image, int32."""
        if self.owners is None:
            count = tf.cast(tf.shape(self.sizes_px)[0], tf.float64)
            return tf.cast(draw * count, tf.int32)
        allowed = tf.range(tf.shape(self.sizes_px)[0])
        other_person, other_camera = tf.unstack(self.owners != seen, axis=1)
        for fit in (other_person, other_person & other_camera):
            allowed = tf.cond(tf.reduce_any(fit), lambda f=fit: _where(f), lambda a=allowed: a)
        return allowed[tf.cast(draw * tf.cast(tf.size(allowed), tf.float64), tf.int32)]


def _largest_within(limit_px: tf.Tensor, size_px: tf.Tensor) -> tf.Tensor:
    """The size, or the largest one of its aspect ratio that is within the limit; int32."""
    scale = tf.minimum(tf.reduce_min(limit_px / size_px), 1.0)
    return tf.maximum(tf.cast(tf.cast(size_px, tf.float64) * scale, tf.int32), 1)


def _where(fit: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.where(fit)[:, 0], tf.int32)


def load_backgrounds(
    paths: Sequence[Path],
    min_size_px: tuple[int, int],
    owners: Sequence[tuple[int, int]] | None = None,
) -> Backgrounds:
    """Loads background images.

    An image that is smaller than asked for is scaled up, but for sides above `LONGEST_SIDE_PX`,
    and one with a side above that down, both with their aspect ratio kept.

    Args:
      paths: image files, at least one.
      min_size_px: height, width of the largest crop that will be cut.
      owners: person and camera ID of each, where the images have owners.

    Raises:
      DataError: if a file is no image.
    """
    covered_px = tuple(min(side, LONGEST_SIDE_PX) for side in min_size_px)
    images = [_load(path, covered_px) for path in paths]
    sizes = np.array([image.shape[:2] for image in images], np.int32)
    pixels = np.zeros((len(images), *sizes.max(axis=0), 3), np.uint8)
    for slot, image in zip(pixels, images, strict=True):
        slot[: image.shape[0], : image.shape[1]] = image
    owned = None if owners is None else tf.constant(owners, tf.int64)
    enlarges = covered_px != tuple(min_size_px)
    return Backgrounds(tf.constant(pixels), tf.constant(sizes), owned, enlarges)


def _load(path: Path, min_size_px: tuple[int, int]) -> np.ndarray:
    try:
        image = as_rgb(upright(open_image(str(path), None, max_mpx=LARGEST_LIMIT_MPX)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"background {path} cannot be read as an image: {error}. Remove or replace it."
        ) from error
    size = np.array([image.height, image.width])
    scale = max(min(1.0, LONGEST_SIDE_PX / size.max()), (np.array(min_size_px) / size).max())
    if scale != 1.0:
        height, width = np.maximum(np.round(size * scale).astype(int), min_size_px).tolist()
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def compose(image: tf.Tensor, mask: tf.Tensor, background: tf.Tensor) -> tf.Tensor:
    """Puts the person of one image before another background (PGP, eq. 1).

    `I_out = I_in * M + R * (1 - M)`, where M is 1 on every class above 0. M being binary, this
    is a choice between the two and has no rounding.

    Args:
      image: I_in, uint8 or float32 `[height, width, 3]`.
      mask: class indices, uint8 `[height, width]`.
      background: R, of the dtype and shape of the image.

    Returns:
      I_out, of the dtype and shape of the image.
    """
    # Choosing whole pixels is three times as fast as tf.where with a mask that is broadcast.
    foreground = tf.reshape(mask, [-1]) > 0
    pixels = tf.compat.v1.where(
        foreground, tf.reshape(image, [-1, 3]), tf.reshape(background, [-1, 3])
    )
    return tf.reshape(pixels, tf.shape(image))


def fill_background(image: tf.Tensor, mask: tf.Tensor, pixel: tf.Tensor) -> tf.Tensor:
    """Paints everything but the person in one colour (PGP's mean-background data set).

    Args:
      image: uint8 `[height, width, 3]`.
      mask: class indices, uint8 `[height, width]`.
      pixel: RGB, float32 `[3]`.

    Returns:
      float32 `[height, width, 3]`.
    """
    image = tf.cast(image, tf.float32)
    return compose(image, mask, tf.broadcast_to(pixel, tf.shape(image)))


def fill_person(image: tf.Tensor, mask: tf.Tensor, pixel: tf.Tensor) -> tf.Tensor:
    """Paints the person in one colour (PGP's background-only data set).

    Args:
      image: uint8 `[height, width, 3]`.
      mask: class indices, uint8 `[height, width]`.
      pixel: RGB, float32 `[3]`.

    Returns:
      float32 `[height, width, 3]`.
    """
    image = tf.cast(image, tf.float32)
    return compose(tf.broadcast_to(pixel, tf.shape(image)), mask, image)
