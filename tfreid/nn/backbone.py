"""What the backbones share: they come in stages, and each layer has the name of its weights."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import keras

from tfreid.errors import UsageError

KERAS_APPLICATIONS = "https://storage.googleapis.com/tensorflow/keras-applications"
"""Where the weights of `keras.applications` lie."""


class NormalisedConvolution(keras.layers.Layer):
    """A convolution, its batch normalisation and an activation.

    Args:
      convolution: a layer, which has the published name of its weights.
      normalisation: likewise.
      activation: a function; None for none.
    """

    def __init__(
        self,
        convolution: keras.layers.Layer,
        normalisation: keras.layers.Layer,
        activation: Callable | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.convolution, self.normalisation = convolution, normalisation
        self.activation = activation

    @property
    def filters(self) -> int:
        """Channels of the output."""
        return self.convolution.filters

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, channels]`."""
        self.convolution.build(input_shape)
        any_size = (None, None, None, input_shape[-1])
        self.normalisation.build(self.convolution.compute_output_shape(any_size))

    def call(self, x, training=None):
        """Maps `[batch, height, width, channels]` to `[batch, h, w, filters]`."""
        x = self.normalisation(self.convolution(x), training=training)
        return self.activation(x) if self.activation else x

    def leaves(self) -> list[keras.layers.Layer]:
        """Returns the layers with weights."""
        return [self.convolution, self.normalisation]


class Backbone(keras.layers.Layer):
    """Consecutive stages of a published classification network, without the classifier.

    Subclasses define the attributes below, `normalise` and `make_blocks`, and where their
    convolutions are not padded, `positions` and `offset_px`.

    Attributes:
      architecture: its name, such as `resnet50`.
      all_stages: names of its stages, in order.
      stages_to_stride_8: how many of the first stages make a map of an eighth of the resolution.
        FA-Net's branches share these.
      imagenet: URL and hash of its ImageNet weights, a file of `keras.applications` without the
        classifier; None where there are none.

    Args:
      output_stride: 32, or 16: pixels of the image for one position of the feature map.
      width: multiplies the channels of every convolution.
      stages: the consecutive stages of `all_stages` that this piece holds; all unless given.
    """

    architecture: ClassVar[str]
    all_stages: ClassVar[tuple[str, ...]]
    stages_to_stride_8: ClassVar[int]
    imagenet: ClassVar[tuple[str, str] | None] = None

    def __init__(
        self,
        output_stride: int = 32,
        width: float = 1.0,
        stages: Sequence[str] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.output_stride, self.width = output_stride, width
        self.stages = self.all_stages if stages is None else tuple(stages)
        self._check()
        self.blocks = self.make_blocks(self.stages)

    def _check(self):
        if self.output_stride not in (16, 32):
            raise UsageError(f"output_stride={self.output_stride} is not known: use 16 or 32")
        known = [index for index, stage in enumerate(self.all_stages) if stage in self.stages]
        consecutive = self.all_stages[known[0] : known[-1] + 1] if known else ()
        if not self.stages or self.stages != consecutive:
            raise UsageError(
                f"stages={self.stages} are not consecutive stages of {self.all_stages}"
            )

    def make_blocks(self, stages: tuple[str, ...]) -> list[keras.layers.Layer]:
        """Returns new blocks of consecutive stages, in order.

        A block has `filters`, the channels of its output, and `leaves()`, its layers with weights.
        These have the published names, and the order of the published files.
        """
        raise NotImplementedError

    @staticmethod
    def normalise(images):
        """Maps images to what the ImageNet weights expect.

        Args:
          images: float RGB `[..., 3]` in [0, 255].

        Returns:
          Float of the same shape.
        """
        raise NotImplementedError

    @classmethod
    def positions(cls, side_px: int, output_stride: int) -> int:
        """Returns how many positions a side of an image gives the feature map."""
        return -(-side_px // output_stride)

    @classmethod
    def offset_px(cls, output_stride: int) -> int:
        """Returns the pixels of the image above, and left of, the map's first position.

        Position n stands for the pixels from `offset_px + n * output_stride` on, as many as
        `output_stride`.
        """
        return 0

    @classmethod
    def smallest_px(cls, positions: int, output_stride: int) -> int:
        """Returns the least side of an image that gives so many positions."""
        sides = itertools.count(1)
        return next(side for side in sides if cls.positions(side, output_stride) >= positions)

    @classmethod
    def map_size(cls, image_size_px: Sequence[int], output_stride: int) -> tuple[int, int]:
        """Returns height, width of the feature map of an image.

        Args:
          image_size_px: height, width of the image.
          output_stride: 32, or 16.

        Raises:
          UsageError: the image is too small for a single position.
        """
        height, width = (cls.positions(side, output_stride) for side in image_size_px)
        if min(height, width) < 1:
            least = cls.smallest_px(1, output_stride)
            raise UsageError(
                f"an image of {image_size_px[0]}x{image_size_px[1]} px is too small for "
                f"{cls.architecture}: give images of at least {least}x{least} px"
            )
        return height, width

    @classmethod
    def under_map(cls, images, output_stride: int):
        """Returns the part of images that the positions of their feature map stand for.

        Args:
          images: or masks, `[batch, height, width, ...]`.
          output_stride: 32, or 16.
        """
        height, width = cls.map_size(images.shape[1:3], output_stride)
        start = cls.offset_px(output_stride)
        bottom, right = start + height * output_stride, start + width * output_stride
        return images[:, start:bottom, start:right]

    @property
    def filters(self) -> int:
        """Channels of the feature map."""
        return self.blocks[-1].filters

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, channels]`."""
        for block in self.blocks:
            block.build(input_shape)
            input_shape = (*input_shape[:-1], block.filters)

    def call(self, x, training=None):
        """Maps normalised images, or the preceding stage's output, to the last stage's output.

        Args:
          x: float `[batch, height, width, channels]`; for the first stage what `normalise` gives.
          training: True uses, and updates, the statistics of the batch.

        Returns:
          Float `[batch, h, w, filters]`.
        """
        for block in self.blocks:
            x = block(x, training=training)
        return x

    def named_layers(self) -> dict[str, keras.layers.Layer]:
        """Returns the layers with weights by their published name, in the published order."""
        return _by_name(self.blocks)

    def published_layers(self) -> dict[str, keras.layers.Layer]:
        """Returns the same of the whole network that these stages are a piece of, not built."""
        return _by_name(self.make_blocks(self.all_stages))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "output_stride": self.output_stride,
            "width": self.width,
            "stages": self.stages,
        }


def _by_name(blocks: Iterable[keras.layers.Layer]) -> dict[str, keras.layers.Layer]:
    return {layer.name: layer for block in blocks for layer in block.leaves()}
