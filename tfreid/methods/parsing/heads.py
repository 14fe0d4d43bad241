"""Heads of the parsing network: from feature maps to a class for every pixel."""

import keras

from tfreid.nn import ConvUnit, scaled


def pyramid_pool(features):
    """Average-pools to grids of 1x1, 2x2 and 3x3.

    On the 6x6 map of a 96x96 image these are the paper's kernels of 6x6, 3x3 and 2x2; smaller
    and larger maps get the same grids.

    Args:
      features: float `[batch, height, width, channels]`.

    Returns:
      Three maps, coarsest first.
    """
    height, width = features.shape[1:3]
    kernels = [(-(-height // grid), -(-width // grid)) for grid in (1, 2, 3)]
    return [keras.ops.average_pool(features, k, strides=k, padding="same") for k in kernels]


def upsample(features, size_px):
    """Resizes `[batch, h, w, channels]` bilinearly to `size_px`, a (height, width)."""
    return keras.ops.image.resize(features, size_px, interpolation="bilinear")


class PaperHead(keras.layers.Layer):
    """Pyramid pooling, up-sampling to the image's size, concatenation, 1x1 convolution.

    A 1x1 convolution of concatenated up-sampled maps is the sum of the up-sampled 1x1
    convolutions of the maps, and is computed so: the same function and the same weights
    (3 x channels x classes + classes) without tensors of 96x96x9216.

    Source: PGP, section 3.2. The paper does not state how it up-samples; this is bilinear.
    """

    def __init__(self, classes: int, width: float, **kwargs):
        super().__init__(**kwargs)
        self.classes, self.width = classes, width
        self.classifiers = [
            keras.layers.Conv2D(classes, 1, use_bias=first) for first in (True, False, False)
        ]

    def build(self, maps_shape):
        """Creates the weights for the shapes of the four maps."""
        for classifier in self.classifiers:
            classifier.build(maps_shape[-1])

    def call(self, maps, size_px, training=None):
        """Maps the last of `maps` to logits `[batch, *size_px, classes]`."""
        pooled = pyramid_pool(maps[-1])
        return sum(
            upsample(classify(x), size_px)
            for classify, x in zip(self.classifiers, pooled, strict=True)
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes, "width": self.width}


class SkipHead(keras.layers.Layer):
    """A decoder that adds detail from finer maps to the pyramid's context, stage by stage.

    Not in the paper, whose head starts from a map of 3x3.
    """

    def __init__(self, classes: int, width: float, **kwargs):
        super().__init__(**kwargs)
        self.classes, self.width = classes, width
        self.filters = scaled(64, width)
        self.context = ConvUnit(self.filters, 1)
        self.laterals = [ConvUnit(self.filters, 1) for _ in range(3)]
        self.mixers = [ConvUnit(self.filters, 3) for _ in range(3)]
        self.classifier = keras.layers.Conv2D(classes, 1)

    def build(self, maps_shape):
        """Creates the weights for the shapes of the four maps."""
        *finer, last = maps_shape
        self.context.build((*last[:-1], 4 * last[-1]))
        for shape, lateral, mixer in zip(reversed(finer), self.laterals, self.mixers, strict=True):
            lateral.build(shape)
            mixer.build((*shape[:-1], 2 * self.filters))
        self.classifier.build((*last[:-1], self.filters))

    def call(self, maps, size_px, training=None):
        """Maps the four `maps`, finest first, to logits `[batch, *size_px, classes]`."""
        *finer, last = maps
        pyramid = [upsample(x, last.shape[1:3]) for x in pyramid_pool(last)]
        x = self.context(keras.ops.concatenate([last, *pyramid], axis=-1), training=training)
        for skip, lateral, mixer in zip(reversed(finer), self.laterals, self.mixers, strict=True):
            x = upsample(x, skip.shape[1:3])
            x = keras.ops.concatenate([x, lateral(skip, training=training)], axis=-1)
            x = mixer(x, training=training)
        return upsample(self.classifier(x), size_px)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes, "width": self.width}


HEADS = {"paper": PaperHead, "skip": SkipHead}
"""Value of a recipe's `parsing_head` to head."""
