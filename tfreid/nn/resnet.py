"""ResNet (v1) in stages, with the layer names and constants of `keras.applications`."""

from collections.abc import Sequence

import keras

from tfreid.errors import UsageError
from tfreid.nn.backbone import Backbone
from tfreid.nn.units import batch_normalisation, scaled

STAGES = ("conv1", "conv2", "conv3", "conv4", "conv5")
"""Stages, in order: conv1 quarters the resolution, conv2 keeps it, each other one halves it."""

BLOCKS = {
    14: (1, 1, 1, 1),
    26: (2, 2, 2, 2),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Depth -> bottlenecks of conv2 to conv5. 14 and 26, without published weights, are for demos."""

MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean pixel of ImageNet, in [0, 255]."""

_EPSILON = 1.001e-5


def normalise(images):
    """Maps images to what the ImageNet weights expect: BGR minus ImageNet's mean pixel.

    Args:
      images: float RGB `[..., 3]` in [0, 255].

    Returns:
      Float BGR of the same shape, about [-124, 152].
    """
    return keras.ops.flip(images, axis=-1) - keras.ops.cast(MEAN_BGR, images.dtype)


class _Convolution(keras.layers.Layer):
    """A convolution with bias and its batch normalisation."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", **kwargs):
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv2D(
            filters, kernel_size, strides, padding, kernel_initializer="he_normal"
        )
        self.normalisation = batch_normalisation(epsilon=_EPSILON)

    def build(self, input_shape):
        self.convolution.build(input_shape)
        self.normalisation.build((*input_shape[:-1], self.convolution.filters))

    def call(self, x, training=None):
        return self.normalisation(self.convolution(x), training=training)


class _Root(keras.layers.Layer):
    """Stage conv1: 7x7 convolution and 3x3 max-pooling, each with stride 2."""

    def __init__(self, filters):
        super().__init__(name="conv1")
        self.filters = filters
        self.pad = keras.layers.ZeroPadding2D(3)
        self.unit = _Convolution(filters, 7, strides=2, name="unit")
        self.pool_pad = keras.layers.ZeroPadding2D(1)
        self.pool = keras.layers.MaxPooling2D(3, 2)

    def build(self, input_shape):
        self.unit.build(input_shape)

    def call(self, x, training=None):
        x = keras.ops.relu(self.unit(self.pad(x), training=training))
        return self.pool(self.pool_pad(x))

    def units(self):
        """Yields the published name of each convolution with its normalisation, and both."""
        yield "conv1", self.unit


class _Bottleneck(keras.layers.Layer):
    """Residual block of 1x1, 3x3 and 1x1 convolutions; the stride is in the first.

    Args:
      width: channels of the 3x3 convolution; the output has 4 times as many.
      strides: spatial stride.
      project: True puts a 1x1 convolution on the shortcut.
      name: the published one, such as `conv4_block1`.
    """

    def __init__(self, width, strides=1, project=False, *, name):
        super().__init__(name=name)
        self.filters, self.project = 4 * width, project
        self.reduce = _Convolution(width, 1, strides, name="reduce")
        self.convolve = _Convolution(width, 3, padding="same", name="convolve")
        self.expand = _Convolution(4 * width, 1, name="expand")
        if project:
            self.shortcut = _Convolution(4 * width, 1, strides, name="shortcut")

    def build(self, input_shape):
        self.reduce.build(input_shape)
        for unit in (self.convolve, self.expand):
            unit.build((*input_shape[:-1], self.filters // 4))
        if self.project:
            self.shortcut.build(input_shape)

    def call(self, x, training=None):
        shortcut = self.shortcut(x, training=training) if self.project else x
        x = keras.ops.relu(self.reduce(x, training=training))
        x = keras.ops.relu(self.convolve(x, training=training))
        return keras.ops.relu(shortcut + self.expand(x, training=training))

    def units(self):
        """Yields the published name of each convolution with its normalisation, and both."""
        yield f"{self.name}_1", self.reduce
        yield f"{self.name}_2", self.convolve
        if self.project:
            yield f"{self.name}_0", self.shortcut
        yield f"{self.name}_3", self.expand


class ResNet(Backbone):
    """Consecutive stages of ResNet, without the classifier.

    At output stride 32, with the same weights, the whole network gives the feature map of
    `keras.applications.ResNet50` (101, 152) without its top. At output stride 16, conv5 keeps
    the resolution of conv4 and its convolutions are not dilated: 384x128 gives 24x8x2048.
    `named_layers` has the names of `keras.applications`.

    Sources: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the removed
    down-sampling: FA-Net, section III-A.

    Args:
      depth: a key of `BLOCKS`.
      output_stride: 32, or 16.
      width: multiplies the channels of every convolution.
      stages: the consecutive stages of `STAGES` that this piece holds. A trunk of the first
        three may feed several branches of the last two.
    """

    all_stages = STAGES

    def __init__(
        self,
        depth: int = 50,
        output_stride: int = 32,
        width: float = 1.0,
        stages: Sequence[str] = STAGES,
        **kwargs,
    ):
        super().__init__(output_stride, width, stages, **kwargs)
        if depth not in BLOCKS:
            raise UsageError(f"depth={depth} of ResNet is not known: use one of {sorted(BLOCKS)}")
        self.depth = depth
        self.blocks = self.make_blocks(self.stages)

    @property
    def architecture(self) -> str:
        """The name of the published network, such as `resnet50`."""
        return f"resnet{self.depth}"

    def make_blocks(self, stages):
        """Returns new blocks of consecutive stages, in order."""
        return [block for stage in stages for block in self._make_stage(stage)]

    def _make_stage(self, stage):
        if stage == "conv1":
            return [_Root(scaled(64, self.width))]
        index = STAGES.index(stage) - 1
        filters = scaled(64 * 2**index, self.width)
        halves = stage in ("conv3", "conv4") or (stage == "conv5" and self.output_stride == 32)
        first = _Bottleneck(filters, 2 if halves else 1, project=True, name=f"{stage}_block1")
        others = range(2, BLOCKS[self.depth][index] + 1)
        return [first, *(_Bottleneck(filters, name=f"{stage}_block{n}") for n in others)]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "depth": self.depth}
