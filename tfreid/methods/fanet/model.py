"""The foreground-aware network."""

from collections.abc import Sequence

import keras

from tfreid.methods.fanet.attention import TargetEnhancement, gate
from tfreid.methods.fanet.pyramid import HorizontalPyramid, StripeClassifiers
from tfreid.nn import Backbone, activation_map, backbone_class


class ForegroundNetwork(keras.Model):
    """What describes an image: low-level layers, foreground branch, TEM and HPP.

    With ResNet-50 at 384x128 and output stride 16 the shared map is 48x16x512 and F is 24x8x2048;
    with HPP the descriptor has 15 x 256 = 3840 values.

    Args:
      backbone: a name of `BACKBONES`, or a class.
      width: multiplies the channels of the backbone and of the target enhancement module.
      output_stride: of the backbone: 16, or 32.
      attention_maps: k of the target enhancement module; 0 leaves the module out.
      pyramid: scales, embedding size and pooling of `HorizontalPyramid`.
      initial_maps: `initial` of the target enhancement module.
    """

    def __init__(
        self,
        backbone: str | type[Backbone],
        width: float,
        output_stride: int,
        attention_maps: int,
        pyramid: dict,
        initial_maps: str = "glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        backbone = backbone_class(backbone)
        shared = backbone.stages_to_stride_8
        self.trunk = backbone(output_stride, width, backbone.all_stages[:shared])
        self.branch = backbone(output_stride, width, backbone.all_stages[shared:])
        self.enhancement = None
        if attention_maps:
            self.enhancement = TargetEnhancement(attention_maps, width, initial_maps)
        self.head = HorizontalPyramid(**pyramid)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        self.trunk.build(input_shape)
        self.branch.build((None, None, None, self.trunk.filters))
        if self.enhancement:
            self.enhancement.build((None, None, None, self.branch.filters))
        self.head.build((None, None, None, self.branch.filters))

    def shared(self, images, training=None):
        """Maps images `[batch, height, width, 3]` to the low-level feature map."""
        return self.trunk(self.trunk.normalise(images), training=training)

    def maps(self, shared, training=None):
        """Maps the low-level feature map to F and Z^f; without TEM the latter is None."""
        features = self.branch(shared, training=training)
        if self.enhancement is None:
            return features, None
        return features, self.enhancement(features, training=training)

    def stripes(self, features, mask, training=None):
        """Maps F and Z^f to the stripes' feature vectors `[batch, stripes, units]`."""
        gated = features if mask is None else gate(features, mask)
        return self.head(gated, training=training)

    def call(self, images, training=None):
        """Returns `descriptor` `[batch, stripes x units]`."""
        features, mask = self.maps(self.shared(images, training), training)
        stripes = self.stripes(features, mask, training)
        size = self.head.stripes * self.head.units
        return {"descriptor": keras.ops.reshape(stripes, (-1, size))}

    def embed(self, images):
        """Returns the descriptors of images `[batch, height, width, 3]`, float32."""
        return keras.ops.cast(self(images, training=False)["descriptor"], "float32")

    def explain(self, images):
        """Returns where F responds (`activation`), Z^f and 1 - Z^f (FA-Net, Figure 7)."""
        features, mask = self.maps(self.shared(images, training=False), training=False)
        return explained(features, mask)


class FANet(keras.Model):
    """Foreground and background branch, trained together (FA-Net, section III, Figure 3).

    The branches share the low-level layers, in the paper those before conv4, and no others. The
    foreground's stripes tell the person, the background's the camera.

    Args:
      persons: classes of the foreground's classifiers.
      cameras: classes of the background's classifiers; 0 leaves the background branch out.
      backbone: as of `ForegroundNetwork`.
      width: as of `ForegroundNetwork`.
      output_stride: as of `ForegroundNetwork`.
      attention_maps: as of `ForegroundNetwork`.
      pyramid: as of `ForegroundNetwork`.
      gate_background: whether the background branch is gated with 1 - Z^f (IA in Table I).
      initial_maps: as of `ForegroundNetwork`.
    """

    def __init__(
        self,
        persons: int,
        cameras: int,
        backbone: str | type[Backbone],
        width: float,
        output_stride: int,
        attention_maps: int,
        pyramid: dict,
        gate_background: bool = True,
        initial_maps: str = "glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.gate_background = gate_background
        self.foreground = ForegroundNetwork(
            backbone, width, output_stride, attention_maps, pyramid, initial_maps
        )
        self.person_classifiers = StripeClassifiers(persons, dtype=keras.config.floatx())
        self.background = None
        if cameras:
            branch = self.foreground.branch
            self.background = type(branch)(output_stride, width, branch.stages)
            self.background_head = HorizontalPyramid(**pyramid)
            self.camera_classifiers = StripeClassifiers(cameras, dtype=keras.config.floatx())

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        foreground = self.foreground
        foreground.build(input_shape)
        self.person_classifiers.build((None, foreground.head.stripes, foreground.head.units))
        if self.background:
            head = self.background_head
            self.background.build((None, None, None, foreground.trunk.filters))
            head.build((None, None, None, self.background.filters))
            self.camera_classifiers.build((None, head.stripes, head.units))

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """What another run can start from."""
        parts = {"foreground": self.foreground, "person_classifier": self.person_classifiers}
        if self.background:
            parts |= {
                "background": self.background,
                "background_head": self.background_head,
                "camera_classifier": self.camera_classifiers,
            }
        return parts

    @property
    def backbones(self) -> Sequence[Backbone]:
        """The parts that ImageNet weights are made for."""
        parts = [self.foreground.trunk, self.foreground.branch]
        return [*parts, self.background] if self.background else parts

    @property
    def new_layers(self) -> Sequence[keras.layers.Layer]:
        """The layers that start from random weights."""
        layers = [self.foreground.head, self.person_classifiers]
        if self.foreground.enhancement:
            layers.append(self.foreground.enhancement)
        if self.background:
            layers += [self.background_head, self.camera_classifiers]
        return layers

    def call(self, images, training=None):
        """Returns the heads and what the target attention loss compares.

        `logits` `[batch, stripes, persons]` and, where there is one, `mask` Z^f `[batch, h, w, 1]`;
        with the background branch `camera_logits` `[batch, stripes, cameras]`, `foreground` F and
        `background` B `[batch, h, w, channels]`.
        """
        shared = self.foreground.shared(images, training)
        features, mask = self.foreground.maps(shared, training)
        stripes = self.foreground.stripes(features, mask, training)
        outputs = {"logits": self.person_classifiers(stripes)}
        if mask is not None:
            outputs["mask"] = mask
        if self.background:
            background = self.background(shared, training=training)
            gated = gate(background, 1 - mask) if self.gate_background else background
            stripes = self.background_head(gated, training=training)
            outputs["camera_logits"] = self.camera_classifiers(stripes)
            outputs |= {"foreground": features, "background": background}
        return outputs

    def embed(self, images):
        """Returns the descriptors of images `[batch, height, width, 3]`, float32."""
        return self.foreground.embed(images)

    def explain(self, images):
        """Returns the maps of `ForegroundNetwork.explain`, and where B responds."""
        shared = self.foreground.shared(images, training=False)
        maps = explained(*self.foreground.maps(shared, training=False))
        if self.background:
            background = self.background(shared, training=False)
            maps["background_activation"] = activation_map(background)
        return maps


def explained(features, mask) -> dict:
    """Returns the maps of the foreground branch, float32 `[batch, h, w]` in [0, 1]."""
    maps = {"activation": activation_map(features)}
    if mask is not None:
        mask = keras.ops.cast(keras.ops.squeeze(mask, -1), "float32")
        maps |= {"foreground_attention": mask, "background_attention": 1 - mask}
    return maps
