"""The Inception module of DGD, which PGP builds on."""

import keras

from tfreid.nn.units import ConvUnit


class InceptionModule(keras.layers.Layer):
    """Two Inception blocks; the second halves the resolution.

    Block a, stride 1, four branches: 1x1 | 1x1, 3x3 | 1x1, 3x3, 3x3 | 3x3 average pooling, 1x1.
    Block b, stride 2, three branches: 1x1, 3x3 | 1x1, 3x3, 3x3 | 3x3 max-pooling.
    Block a gives 4 x `width` channels, block b 2 x `width` more.

    Source: Xiao et al., "Learning Deep Feature Representations with Domain Guided Dropout",
    2016, and its published network; PGP, section 3.1.

    Args:
      width: channels of every convolution.
      normalise_last: as in `ConvUnit`.
    """

    def __init__(self, width: int, normalise_last: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.width, self.normalise_last = width, normalise_last

        def units(*kernels_and_strides):
            return [
                ConvUnit(width, kernel, stride, normalise_last)
                for kernel, stride in kernels_and_strides
            ]

        self.block_a = [
            units((1, 1)),
            units((1, 1), (3, 1)),
            units((1, 1), (3, 1), (3, 1)),
            [keras.layers.AveragePooling2D(3, 1, padding="same"), *units((1, 1))],
        ]
        self.block_b = [
            units((1, 1), (3, 2)),
            units((1, 1), (3, 1), (3, 2)),
            [keras.layers.MaxPooling2D(3, 2, padding="same")],
        ]

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, channels]`."""
        for block in (self.block_a, self.block_b):
            for branch in block:
                shape = input_shape
                for layer in branch:
                    layer.build(shape)
                    shape = (*shape[:-1], getattr(layer, "filters", shape[-1]))
            input_shape = (*input_shape[:-1], self.width * len(block))

    def call(self, x, training=None):
        """Maps `[batch, height, width, channels]` to `[batch, ⌈h/2⌉, ⌈w/2⌉, 6 x width]`."""
        for block in (self.block_a, self.block_b):
            x = keras.ops.concatenate([self._run(branch, x, training) for branch in block], axis=-1)
        return x

    @staticmethod
    def _run(branch, x, training):
        for layer in branch:
            x = layer(x, training=training) if isinstance(layer, ConvUnit) else layer(x)
        return x

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "width": self.width,
            "normalise_last": self.normalise_last,
        }
