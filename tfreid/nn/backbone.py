"""What the backbones share: they come in stages, and each layer has the name of its weights."""

from collections.abc import Sequence
from typing import ClassVar

import keras

from tfreid.errors import UsageError


class Backbone(keras.layers.Layer):
    """Consecutive stages of a published classification network, without the classifier.

    Subclasses define `architecture`, `all_stages` and `make_blocks`, and set `blocks`. A block has
    `filters` and `units()`, which yields the name of each convolution and the layer that holds
    its `convolution` and its `normalisation`.

    Args:
      output_stride: 32, or 16: pixels of the image for one position of the feature map.
      width: multiplies the channels of every convolution.
      stages: the consecutive stages of `all_stages` that this piece holds.
    """

    architecture: str
    all_stages: ClassVar[tuple[str, ...]]
    blocks: list[keras.layers.Layer]

    def __init__(self, output_stride: int, width: float, stages: Sequence[str], **kwargs):
        super().__init__(**kwargs)
        self.output_stride, self.width, self.stages = output_stride, width, tuple(stages)
        self._check()

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
        """Returns new blocks of consecutive stages, in order."""
        raise NotImplementedError

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
          x: float `[batch, height, width, channels]`; for the first stage, 3 channels, mapped by
            the `normalise` of the backbone's module.
          training: True uses, and updates, the statistics of the batch.

        Returns:
          Float `[batch, h, w, filters]`.
        """
        for block in self.blocks:
            x = block(x, training=training)
        return x

    def named_layers(self) -> dict[str, keras.layers.Layer]:
        """Returns the layers with weights by name: `..._conv` and `..._bn`.

        The convolutions have the order of `keras.applications`' files, and so have the
        normalisations.
        """
        return _named_layers(self.blocks)

    def published_names(self) -> list[str]:
        """Returns the names of all layers of the network that these stages are a piece of."""
        return list(_named_layers(self.make_blocks(self.all_stages)))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "output_stride": self.output_stride,
            "width": self.width,
            "stages": self.stages,
        }


def _named_layers(blocks):
    layers = {}
    for block in blocks:
        for name, unit in block.units():
            layers |= {f"{name}_conv": unit.convolution, f"{name}_bn": unit.normalisation}
    return layers
