"""The person parsing network: PGP's main network, twice as wide, with a per-pixel classifier."""

import keras

from tfreid.methods.parsing.heads import HEADS
from tfreid.nn import InceptionModule, Normalise, Stem, scaled


class ParsingNetwork(keras.Model):
    """Classifies every pixel as background or as a region of the person (PGP, section 3.2).

    Args:
      classes: 4 (background, head, upper torso, lower torso) or 2 (background, foreground).
      mean_pixel: RGB mean of the training images, in [0, 255].
      width: multiplies the channels; the network has twice those of PGP's main network.
      head: `"paper"` or `"skip"`, a key of `HEADS`.
    """

    def __init__(self, classes, mean_pixel, width=1.0, head="paper", **kwargs):
        super().__init__(**kwargs)
        self.normalise = Normalise(mean_pixel)
        self.stem = Stem(2 * width)
        self.inceptions = [InceptionModule(scaled(c, 2 * width)) for c in (64, 128, 256)]
        self.head = HEADS[head](classes, width)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        channels = [input_shape[-1]]
        for layer in (self.stem, *self.inceptions):
            layer.build((None, None, None, channels[-1]))
            channels.append(layer.filters)
        self.head.build([(None, None, None, count) for count in channels[1:]])

    def call(self, images, training=None):
        """Returns `logits` float32 `[batch, height, width, classes]` for images in [0, 255]."""
        maps = [self.stem(self.normalise(images), training=training)]
        for inception in self.inceptions:
            maps.append(inception(maps[-1], training=training))
        logits = self.head(maps, size_px=tuple(images.shape[1:3]), training=training)
        return {"logits": keras.ops.cast(logits, "float32")}

    def regions(self, images):
        """Returns the class of every pixel, int32 `[batch, height, width]`."""
        logits = self(images, training=False)["logits"]
        return keras.ops.argmax(logits, axis=-1)

    def explain(self, images):
        """Returns `foreground` `[batch, height, width]`, the probability of not background."""
        probabilities = keras.ops.softmax(self(images, training=False)["logits"])
        return {"foreground": 1.0 - probabilities[..., 0]}
