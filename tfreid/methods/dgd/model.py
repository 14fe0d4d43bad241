"""The DGD network."""

import keras

from tfreid.nn import (
    ConvUnit,
    FeatureUnit,
    InceptionModule,
    Normalise,
    activation_map,
    scaled,
)


class DGD(keras.Model):
    """Three 3x3 convolutions, three Inception modules, a 256-d descriptor, a person classifier.

    At 144x56 the feature maps are 72x28x32 after the stem, then 36x14x384, 18x7x768 and
    9x4x1536.

    Args:
      persons: classes of the classifier.
      mean_pixel: RGB mean of the training images, in [0, 255].
      width: multiplies the channels of every convolution.
      descriptor_size: length of the descriptor.
      dropout: rate in front of the classifier.
    """

    def __init__(self, persons, mean_pixel, width=1.0, descriptor_size=256, dropout=0.5, **kwargs):
        super().__init__(**kwargs)
        self.normalise = Normalise(mean_pixel)
        self.stem = [ConvUnit(scaled(32, width), 3, normalise_last=False) for _ in range(3)]
        self.stem_pool = keras.layers.MaxPooling2D(2)
        self.inceptions = [
            InceptionModule(scaled(c, width), normalise_last=False) for c in (64, 128, 256)
        ]
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.feature = FeatureUnit(descriptor_size, normalise_last=False)
        self.dropout = keras.layers.Dropout(dropout)
        self.classifier = keras.layers.Dense(persons, dtype=keras.config.floatx())

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """What another run can start from."""
        units = {f"stem_{number}": unit for number, unit in enumerate(self.stem, start=1)}
        modules = {f"inception_{n}": module for n, module in enumerate(self.inceptions, start=1)}
        return units | modules | {"feature": self.feature, "classifier": self.classifier}

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        channels = input_shape[-1]
        for layer in (*self.stem, *self.inceptions):
            layer.build((None, None, None, channels))
            channels = layer.filters
        self.feature.build((None, channels))
        self.classifier.build((None, self.feature.units))

    def features(self, images, training=None):
        """Maps images `[batch, height, width, 3]` to the last feature map, 1/16 of their size."""
        x = self.normalise(images)
        for unit in self.stem:
            x = unit(x, training=training)
        x = self.stem_pool(x)
        for inception in self.inceptions:
            x = inception(x, training=training)
        return x

    def call(self, images, training=None):
        """Returns `descriptor` `[batch, 256]` and `logits` `[batch, persons]`."""
        descriptor = self.feature(self.pool(self.features(images, training)), training=training)
        logits = self.classifier(self.dropout(descriptor, training=training))
        return {"descriptor": descriptor, "logits": logits}

    def embed(self, images):
        """Returns the descriptors `[batch, 256]` of images `[batch, height, width, 3]`."""
        features = self.features(images, training=False)
        return keras.ops.cast(self.feature(self.pool(features), training=False), "float32")

    def explain(self, images):
        """Returns `activation` `[batch, height / 16, width / 16]`, where the network responds."""
        return {"activation": activation_map(self.features(images, training=False))}
