"""SPReID's human semantic parsing model: Inception-V3 and an atrous spatial pyramid."""

import keras

from tfreid.methods.parsing.parser import Parser
from tfreid.nn import ConvUnit, InceptionV3, scaled

RATES = (3, 6, 9, 12)
"""Dilations of the pyramid's 3x3 convolutions (SPReID, section 3.2)."""


class AtrousSpatialPyramid(keras.layers.Layer):
    """Looks at each position in several contexts: atrous spatial pyramid pooling (ASPP).

    A 3x3 convolution of 256 channels for each of `RATES`, and as in the cited DeepLabV3 a 1x1
    convolution and the mean over the map with a 1x1 convolution (512 channels each, spread over
    all positions), are concatenated and joined by a 1x1 convolution of 1024. Each has batch
    normalisation and ReLU. The paper states the rates alone.

    Source: SPReID, section 3.2; Chen et al., "Rethinking Atrous Convolution for Semantic Image
    Segmentation", 2017.

    Args:
      width: multiplies the channels.
    """

    def __init__(self, width: float, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        narrow, wide, self.filters = (scaled(channels, width) for channels in (256, 512, 1024))
        self.branches = [
            ConvUnit(wide, 1, normalise_last=False),
            *(ConvUnit(narrow, 3, normalise_last=False, dilation=rate) for rate in RATES),
        ]
        self.image = ConvUnit(wide, 1, normalise_last=False)
        self.join = ConvUnit(self.filters, 1, normalise_last=False)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, h, w, channels]`."""
        units = (*self.branches, self.image)
        for unit in units:
            unit.build(input_shape)
        self.join.build((*input_shape[:-1], sum(unit.filters for unit in units)))

    def call(self, x, training=None):
        """Maps `[batch, h, w, channels]` to `[batch, h, w, filters]`."""
        maps = [branch(x, training=training) for branch in self.branches]
        image = self.image(keras.ops.mean(x, axis=(1, 2), keepdims=True), training=training)
        maps.append(keras.ops.broadcast_to(image, (*keras.ops.shape(x)[:3], image.shape[-1])))
        return self.join(keras.ops.concatenate(maps, axis=-1), training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "width": self.width}


class SemanticParser(Parser):
    """Inception-V3 at output stride 16, ASPP and a 1x1 convolution (SPReID, section 3.2).

    512x512 gives scores of 30x30: Inception-V3's unpadded convolutions leave one position out at
    each edge of the image, hence the scores at the edge are repeated once before they are
    enlarged to it.

    Args:
      vocabulary: `"lip20"` in the paper.
      width: multiplies the channels of every convolution.
      dilated_pooling: as of `InceptionV3`.
    """

    def __init__(
        self,
        vocabulary: str = "lip20",
        width: float = 1.0,
        dilated_pooling: str = "dilated",
        **kwargs,
    ):
        super().__init__(vocabulary, **kwargs)
        self.backbone = InceptionV3(16, width, dilated_pooling=dilated_pooling)
        self.pyramid = AtrousSpatialPyramid(width)
        self.classifier = keras.layers.Conv2D(self.classes, 1, dtype=keras.config.floatx())

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        self.backbone.build((None, None, None, input_shape[-1]))
        self.pyramid.build((None, None, None, self.backbone.filters))
        self.classifier.build((None, None, None, self.pyramid.filters))

    def trained_layers(self) -> dict[str, list[keras.layers.Layer]]:
        """Returns the three groups of section 5, each with a learning rate of its own."""
        return {
            "backbone": [self.backbone],
            "pyramid": [self.pyramid],
            "classifier": [self.classifier],
        }

    def scores(self, images, training=None):
        """Returns logits `[batch, about height / 16 - 2, about width / 16 - 2, classes]`.

        Args:
          images: float RGB `[batch, height, width, 3]` in [0, 255], of 75x75 px and more.
          training: True uses, and updates, the statistics of the batch.
        """
        features = self.backbone(self.backbone.normalise(images), training=training)
        return self.classifier(self.pyramid(features, training=training))

    def enlarge(self, scores, size_px):
        """Resizes the scores to images of `size_px`, over the edges that they do not reach."""
        edged = keras.ops.pad(scores, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        return super().enlarge(edged, size_px)
