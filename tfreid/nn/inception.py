"""The Inception module of DGD, which PGP builds on."""

import keras

from tfreid.nn.units import ConvUnit


class _Branch(keras.layers.Layer):
    """Layers in a row; the first may be a pooling layer, the others are `ConvUnit`s."""

    def __init__(self, layers, **kwargs):
        super().__init__(**kwargs)
        self.layers = layers

    def build(self, input_shape):
        for layer in self.layers:
            layer.build(input_shape)
            if isinstance(layer, ConvUnit):
                input_shape = (*input_shape[:-1], layer.filters)

    def call(self, x, training=None):
        for layer in self.layers:
            x = layer(x, training=training) if isinstance(layer, ConvUnit) else layer(x)
        return x


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
        self.filters = 6 * width

        self.block_a = [
            self._branch((1, 1)),
            self._branch((1, 1), (3, 1)),
            self._branch((1, 1), (3, 1), (3, 1)),
            self._branch((1, 1), pool=keras.layers.AveragePooling2D(3, 1, padding="same")),
        ]
        self.block_b = [
            self._branch((1, 1), (3, 2)),
            self._branch((1, 1), (3, 1), (3, 2)),
            self._branch(pool=keras.layers.MaxPooling2D(3, 2, padding="same")),
        ]

    def _branch(self, *kernels_and_strides, pool=None):
        units = [
            ConvUnit(self.width, kernel, stride, self.normalise_last)
            for kernel, stride in kernels_and_strides
        ]
        return _Branch([pool, *units] if pool else units)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, channels]`."""
        for branch in self.block_a:
            branch.build(input_shape)
        for branch in self.block_b:
            branch.build((*input_shape[:-1], 4 * self.width))

    def call(self, x, training=None):
        """Maps `[batch, height, width, channels]` to `[batch, ⌈h/2⌉, ⌈w/2⌉, 6 x width]`."""
        for block in (self.block_a, self.block_b):
            x = keras.ops.concatenate([branch(x, training=training) for branch in block], axis=-1)
        return x

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "width": self.width,
            "normalise_last": self.normalise_last,
        }
