"""The re-identification model: backbones, a frozen parser, and aggregation by body regions."""

from collections.abc import Mapping

import keras

from tfreid.methods.parsing.parser import Parser
from tfreid.methods.spreid.regions import REGIONS, describe, pool_regions, region_maps
from tfreid.nn import Backbone, activation_map, backbone_class


class SPReID(keras.Model):
    """Describes an image as a whole and by regions of the body (SPReID, section 3.3, Figure 1).

    One head averages the activations of a backbone over the image, the other pools those of the
    same or of another backbone by the region maps of a parser, which is frozen. The parser sees the
    image as it is, 512x512, and gives 30x30x5; the backbones see it at 512x170, and Inception-V3
    gives 14x3x2048. The descriptor has 6144 values, 4096 without foreground, 2048 in the baseline,
    which has the first head alone.

    Args:
      persons: classes of the classifier.
      parser: of the vocabulary `lip20`; None for the baseline.
      backbone: a name of `BACKBONES`, or a class.
      width: multiplies the backbones' channels.
      output_stride: of the backbones: 32, or 16.
      foreground: whether the foreground is part of the descriptor.
      shared: whether both heads have the same backbone.
      backbone_size_px: height, width to which images are scaled for the backbones, bilinearly;
        None leaves them as they are, and backbones and parser see the same.
    """

    def __init__(
        self,
        persons: int,
        parser: Parser | None = None,
        backbone: str | type[Backbone] = "inception_v3",
        width: float = 1.0,
        output_stride: int = 32,
        foreground: bool = True,
        shared: bool = False,
        backbone_size_px: tuple[int, int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.foreground, self.backbone_size_px = foreground, backbone_size_px
        count = 1 if shared or parser is None else 2
        self.backbones = [backbone_class(backbone)(output_stride, width) for _ in range(count)]
        self.parser = parser
        self.classifier = keras.layers.Dense(persons, dtype=keras.config.floatx())

    @property
    def descriptor_size(self) -> int:
        """Values of the descriptor."""
        pooled = 1 if self.parser is None else 2 + self.foreground
        return pooled * self.backbones[0].filters

    @property
    def parts(self) -> Mapping[str, keras.layers.Layer]:
        """What another run can start from."""
        parts = {"global_backbone": self.backbones[0]}
        if self.parser is not None:
            shared = len(self.backbones) == 1
            names = ["shared_backbone"] if shared else ["global_backbone", "parts_backbone"]
            parts = dict(zip(names, self.backbones, strict=True)) | {"parser": self.parser}
        return parts | {"classifier": self.classifier}

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        for backbone in self.backbones:
            backbone.build(input_shape)
        if self.parser is not None:
            self.parser.build(input_shape)
        self.classifier.build((None, self.descriptor_size))

    def prepare(self, images):
        """Returns images as the backbones expect them."""
        if self.backbone_size_px is not None:
            images = keras.ops.image.resize(images, self.backbone_size_px)
        return self.backbones[0].normalise(images)

    def activations(self, images, training=None):
        """Returns the map of each backbone: of the global head first, of the regions' last."""
        images = self.prepare(images)
        return [backbone(images, training=training) for backbone in self.backbones]

    def regions(self, images):
        """Returns the region maps `[batch, h, w, 5]` at the parser's own resolution, frozen."""
        return keras.ops.stop_gradient(region_maps(self.parser.probabilities(images)))

    def descriptors(self, images, training=None):
        """Returns the descriptors `[batch, d]` of images `[batch, height, width, 3]`."""
        maps = self.activations(images, training)
        regions = None
        if self.parser is not None:
            regions = pool_regions(maps[-1], self.regions(images))
        return describe(keras.ops.mean(maps[0], axis=(1, 2)), regions, self.foreground)

    def call(self, images, training=None):
        """Returns `descriptor` `[batch, d]` and `logits` `[batch, persons]`.

        Args:
          images: float RGB `[batch, height, width, 3]` in [0, 255], as the parser sees them.
            Inception-V3 takes 75x75 px and more.
          training: True uses, and updates, the statistics of the batch in the backbones.
        """
        descriptors = self.descriptors(images, training)
        return {"descriptor": descriptors, "logits": self.classifier(descriptors)}

    def embed(self, images):
        """Returns the descriptors of images `[batch, height, width, 3]`, float32."""
        return keras.ops.cast(self.descriptors(images, training=False), "float32")

    def explain(self, images):
        """Returns where the global head's backbone responds (`activation`), and the region maps."""
        whole = self.backbones[0](self.prepare(images), training=False)
        maps = {"activation": activation_map(whole)}
        if self.parser is not None:
            regions = self.regions(images)
            maps |= {name: regions[..., index] for index, name in enumerate(REGIONS)}
        return maps
