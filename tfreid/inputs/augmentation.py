"""Random changes of training images: named operations that a spec lists.

`RandomBackground` and `Mirror` work on the stored image; all others, a user's own too, on the image
as it will stand in the batch.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import tensorflow as tf

from tfreid.errors import require

Pair = tuple[tf.Tensor, tf.Tensor | None]
Pixel = tuple[float, float, float]

ATTEMPTS = 10
"""Rectangles that random erasing draws at once, of which it takes the first that fits."""

_GREY = (0.299, 0.587, 0.114)


@runtime_checkable
class Augmentation(Protocol):
    """Changes an image that has the size of the batch, and its mask.

    Attributes:
      name: unique in a spec; the operation's random numbers come from a stream of this name.
      draws: random numbers that an image takes.
    """

    name: str
    draws: int

    def __call__(self, image: tf.Tensor, mask: tf.Tensor | None, draws: tf.Tensor) -> Pair:
        """Changes one image.

        Args:
          image: float32 `[height, width, 3]` in [0, 255].
          mask: int32 `[height, width]`, classes of the spec's vocabulary; None without one.
          draws: float64 `[self.draws]`, uniform in [0, 1), the only source of chance.

        Returns:
          Image and mask of the same shapes and dtypes.
        """


@dataclass(frozen=True)
class RandomBackground:
    """Replaces the background by a random one, at the image's stored size (PGP, eq. 1).

    Attributes:
      probability: share of the images.
    """

    probability: float
    name: ClassVar[str] = "random_background"

    def __post_init__(self):
        """Refuses impossible shares."""
        _require_share(self)


@dataclass(frozen=True)
class Mirror:
    """Exchanges left and right, at the image's stored size, also of limbs in its mask.

    Attributes:
      probability: share of the images.
    """

    probability: float
    name: ClassVar[str] = "mirror"

    def __post_init__(self):
        """Refuses impossible shares."""
        _require_share(self)


@dataclass(frozen=True)
class PaddedCrop:
    """Adds a border on all sides and cuts the image's size out at a random place.

    A mask moves along; the border is background.

    Attributes:
      probability: share of the images.
      padding_px: width of the border.
      fill: RGB of the border in [0, 255]; None for the mean pixel of the training split.
    """

    probability: float
    padding_px: int
    fill: Pixel | None = None
    name: ClassVar[str] = "padded_crop"
    draws: ClassVar[int] = 3

    def __post_init__(self):
        """Refuses impossible settings."""
        _require_share(self)
        require(self.padding_px > 0, f"padding_px must be above 0, not {self.padding_px}")

    def __call__(self, image: tf.Tensor, mask: tf.Tensor | None, draws: tf.Tensor) -> Pair:
        """Crops one image; see `Augmentation`."""
        top, left = tf.unstack(tf.cast(draws[1:] * (2 * self.padding_px + 1), tf.int32))
        height, width = image.shape[:2]

        def cropped(pixels: tf.Tensor, fill: Pixel | int) -> tf.Tensor:
            padded = _pad(pixels, self.padding_px, tf.constant(fill, pixels.dtype))
            return padded[top : top + height, left : left + width]

        def changed() -> Pair:
            return cropped(image, self.fill), None if mask is None else cropped(mask, 0)

        return _for_share(self, draws, changed, (image, mask))


@dataclass(frozen=True)
class ColourJitter:
    """Multiplies brightness, then contrast, then saturation by random factors.

    A strength of s draws the factor from [1 - s, 1 + s]. Contrast is the distance from the mean of
    the grey image, saturation that from each pixel's grey; grey is 0.299 R + 0.587 G + 0.114 B.

    Attributes:
      probability: share of the images.
      brightness: strength, in [0, 1].
      contrast: strength, in [0, 1].
      saturation: strength, in [0, 1].
    """

    probability: float
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    name: ClassVar[str] = "colour_jitter"
    draws: ClassVar[int] = 4

    def __post_init__(self):
        """Refuses impossible settings."""
        _require_share(self)
        for name in ("brightness", "contrast", "saturation"):
            value = getattr(self, name)
            require(0.0 <= value <= 1.0, f"{name} of ColourJitter must lie in [0, 1], not {value}")

    def __call__(self, image: tf.Tensor, mask: tf.Tensor | None, draws: tf.Tensor) -> Pair:
        """Changes the colours of one image; see `Augmentation`."""
        strengths = tf.constant([self.brightness, self.contrast, self.saturation], tf.float32)
        factors = 1.0 + strengths * tf.cast(2.0 * draws[1:] - 1.0, tf.float32)

        def changed() -> Pair:
            bright = _clip(image * factors[0])
            mean = tf.tensordot(tf.reduce_mean(bright, axis=(0, 1)), _GREY, 1)
            contrasted = _clip(mean + factors[1] * (bright - mean))
            # A product of matrices is much faster than a sum over three channels.
            mixed = factors[2] * tf.eye(3) + (1.0 - factors[2]) * tf.constant(
                [[g] * 3 for g in _GREY]
            )
            return _clip(tf.tensordot(contrasted, mixed, 1)), mask

        return _for_share(self, draws, changed, (image, mask))


@dataclass(frozen=True)
class RandomErasing:
    """Paints a random rectangle in one colour; a mask stays as it is.

    Source: Zhong et al., "Random Erasing Data Augmentation", AAAI 2020, whose settings are the
    defaults: half of the images, 2% to 40% of the area, height / width from 0.3 to 1 / 0.3. As in
    the authors' code, rectangles larger than the image are drawn anew, and the place of one that
    fits is uniform. An image for which `ATTEMPTS` rectangles are too large stays as it is.

    Attributes:
      probability: share of the images.
      area: least and largest share of the image's area.
      aspect: least and largest height / width.
      fill: RGB of the rectangle in [0, 255]; None for the mean pixel of the training split.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    aspect: tuple[float, float] = (0.3, 1 / 0.3)
    fill: Pixel | None = None
    name: ClassVar[str] = "random_erasing"
    draws: ClassVar[int] = 1 + 4 * ATTEMPTS

    def __post_init__(self):
        """Refuses impossible settings."""
        _require_share(self)
        for name, largest in (("area", 1.0), ("aspect", float("inf"))):
            low, high = getattr(self, name)
            require(
                0.0 < low <= high <= largest,
                f"{name} of RandomErasing must be (least, largest), above 0"
                f"{' and at most 1' if name == 'area' else ''}, not {(low, high)}",
            )

    def __call__(self, image: tf.Tensor, mask: tf.Tensor | None, draws: tf.Tensor) -> Pair:
        """Erases a part of one image; see `Augmentation`."""
        height, width = image.shape[:2]

        def changed() -> Pair:
            (top, bottom), (left, right) = self._rectangle(draws[1:], height, width)
            fill = tf.broadcast_to(self.fill, (bottom - top, right - left, 3))
            span = {"begin": (top, left), "end": (bottom, right), "strides": (1, 1)}
            return tf.raw_ops.TensorStridedSliceUpdate(input=image, value=fill, **span), mask

        return _for_share(self, draws, changed, (image, mask))

    def _rectangle(self, draws: tf.Tensor, height: int, width: int) -> tuple[Any, Any]:
        """Returns first row and the row after the last, and likewise columns; none if none fits."""
        areas, aspects, *places = tf.unstack(tf.reshape(draws, (4, ATTEMPTS)))
        areas = height * width * _between(self.area, areas)
        aspects = _between(self.aspect, aspects)
        sides = tf.sqrt(areas * aspects), tf.sqrt(areas / aspects)
        fits = (tf.round(sides[0]) < height) & (tf.round(sides[1]) < width)
        chosen = tf.argmax(fits)  # The first that fits.
        spans = []
        for side, limit, place in zip(sides, (height, width), places, strict=True):
            side = tf.where(fits[chosen], tf.cast(tf.round(side[chosen]), tf.int32), 0)
            start = tf.cast(place[chosen] * tf.cast(limit - side + 1, tf.float64), tf.int32)
            spans.append((start, start + side))
        return tuple(spans)


def filled(operation: Augmentation, mean_pixel: Pixel) -> Augmentation:
    """Returns an operation with the mean pixel in place of a `fill` that was left open."""
    if isinstance(operation, PaddedCrop | RandomErasing) and operation.fill is None:
        return replace(operation, fill=tuple(mean_pixel))
    return operation


def _for_share(operation: Any, draws: tf.Tensor, changed: Any, pair: Pair) -> Pair:
    """Calls `changed` for the operation's share of the images; the first draw decides."""
    image, mask = pair
    chosen = draws[0] < operation.probability
    if mask is None:
        return tf.cond(chosen, lambda: changed()[0], lambda: image), None
    return tf.cond(chosen, changed, lambda: pair)


def _pad(pixels: tf.Tensor, border_px: int, fill: tf.Tensor) -> tf.Tensor:
    """Adds a border of one colour, which `tf.pad` does not know, or of one class."""
    height, width, *channels = pixels.shape
    side = tf.broadcast_to(fill, (height, border_px, *channels))
    band = tf.broadcast_to(fill, (border_px, width + 2 * border_px, *channels))
    return tf.concat([band, tf.concat([side, pixels, side], axis=1), band], axis=0)


def _between(limits: tuple[float, float], draws: tf.Tensor) -> tf.Tensor:
    return limits[0] + (limits[1] - limits[0]) * draws


def _clip(image: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(image, 0.0, 255.0)


def _require_share(operation: Any) -> None:
    value = operation.probability
    require(
        0.0 < value <= 1.0,
        f"probability of {type(operation).__name__} must lie in (0, 1], not {value}; to do "
        "without, leave it out of the list",
    )
