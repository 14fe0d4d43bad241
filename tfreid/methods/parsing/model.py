"""PGP's person parsing network: its main network, twice as wide, with a per-pixel classifier."""

import keras

from tfreid.methods.parsing.heads import HEADS
from tfreid.methods.parsing.parser import Parser
from tfreid.nn import InceptionModule, Normalise, Stem, scaled


class ParsingNetwork(Parser):
    """Classifies every pixel as background or as a region of the person (PGP, section 3.2).

    Its own resolution is that of the images.

    Args:
      vocabulary: `"regions4"` (background, head, upper torso, lower torso) or `"binary"`.
      mean_pixel: RGB mean of the training images, in [0, 255].
      width: multiplies the channels; the network has twice those of PGP's main network.
      head: `"paper"` or `"skip"`, a key of `HEADS`.
      module_widths: channels of every convolution of PGP's three modules, before they are doubled.
    """

    def __init__(
        self,
        vocabulary,
        mean_pixel,
        width=1.0,
        head="paper",
        module_widths=(64, 128, 256),
        **kwargs,
    ):
        super().__init__(vocabulary, **kwargs)
        self.normalise = Normalise(mean_pixel)
        self.stem = Stem(2 * width)
        self.inceptions = [InceptionModule(scaled(c, 2 * width)) for c in module_widths]
        self.head = HEADS[head](self.classes, width)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        channels = [input_shape[-1]]
        for layer in (self.stem, *self.inceptions):
            layer.build((None, None, None, channels[-1]))
            channels.append(layer.filters)
        self.head.build([(None, None, None, count) for count in channels[1:]])

    def trained_layers(self) -> dict[str, list[keras.layers.Layer]]:
        """Returns all layers, in one group."""
        return {"parsing": [self.stem, *self.inceptions, self.head]}

    def scores(self, images, training=None):
        """Returns logits `[batch, height, width, classes]` for images in [0, 255]."""
        maps = [self.stem(self.normalise(images), training=training)]
        for inception in self.inceptions:
            maps.append(inception(maps[-1], training=training))
        return self.head(maps, size_px=tuple(images.shape[1:3]), training=training)
