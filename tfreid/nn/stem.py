"""The first layers of PGP's main network and parsing network."""

import keras

from tfreid.nn.units import ConvUnit, scaled


class Stem(keras.layers.Layer):
    """Three 5x5 convolutions and 2x2 max-pooling: 96x96x3 gives 48x48x64 (PGP, section 3.1).

    Args:
      width: multiplies the channels of every convolution.
    """

    def __init__(self, width: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.width, self.filters = width, scaled(64, width)
        self.units = [ConvUnit(self.filters, 5) for _ in range(3)]
        self.pool = keras.layers.MaxPooling2D(2)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, channels]`."""
        for unit in self.units:
            unit.build(input_shape)
            input_shape = (*input_shape[:-1], unit.filters)

    def call(self, x, training=None):
        """Maps `[batch, height, width, channels]` to `[batch, height / 2, width / 2, filters]`."""
        for unit in self.units:
            x = unit(x, training=training)
        return self.pool(x)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "width": self.width}
