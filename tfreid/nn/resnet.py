"""ResNet (v1) in stages, with the layer names and constants of `keras.applications`."""

from typing import ClassVar

import keras

from tfreid.nn.backbone import KERAS_APPLICATIONS, Backbone, NormalisedConvolution
from tfreid.nn.units import batch_normalisation, scaled

STAGES = ("conv1", "conv2", "conv3", "conv4", "conv5")
"""Stages, in order: conv1 quarters the resolution, conv2 keeps it, each other one halves it."""

MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean pixel of ImageNet, in [0, 255]."""

_EPSILON = 1.001e-5
_URL = f"{KERAS_APPLICATIONS}/resnet/{{}}_weights_tf_dim_ordering_tf_kernels_notop.h5"


def _convolution(filters, kernel_size, strides=1, padding="valid", *, name):
    """A convolution with bias and its batch normalisation."""
    return NormalisedConvolution(
        keras.layers.Conv2D(
            filters,
            kernel_size,
            strides,
            padding,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        ),
        batch_normalisation(f"{name}_bn", epsilon=_EPSILON),
    )


class _Root(keras.layers.Layer):
    """Stage conv1: 7x7 convolution and 3x3 max-pooling, each with stride 2."""

    def __init__(self, filters):
        super().__init__(name="conv1")
        self.filters = filters
        self.pad = keras.layers.ZeroPadding2D(3)
        self.unit = _convolution(filters, 7, strides=2, name="conv1")
        self.pool_pad = keras.layers.ZeroPadding2D(1)
        self.pool = keras.layers.MaxPooling2D(3, 2)

    def build(self, input_shape):
        self.unit.build(input_shape)

    def call(self, x, training=None):
        x = keras.ops.relu(self.unit(self.pad(x), training=training))
        return self.pool(self.pool_pad(x))

    def leaves(self):
        return self.unit.leaves()


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
        self.reduce = _convolution(width, 1, strides, name=f"{name}_1")
        self.convolve = _convolution(width, 3, padding="same", name=f"{name}_2")
        self.expand = _convolution(4 * width, 1, name=f"{name}_3")
        if project:
            self.shortcut = _convolution(4 * width, 1, strides, name=f"{name}_0")

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

    def leaves(self):
        shortcut = [self.shortcut] if self.project else []
        units = (self.reduce, self.convolve, *shortcut, self.expand)
        return [layer for unit in units for layer in unit.leaves()]


class ResNet(Backbone):
    """Consecutive stages of ResNet, without the classifier.

    At output stride 32, with the same weights, the whole network gives the feature map of
    `keras.applications.ResNet50` (101, 152) without its top. At output stride 16, conv5 keeps
    the resolution of conv4 and its convolutions are not dilated: 384x128 gives 24x8x2048.
    The layers have the names of `keras.applications`.

    Sources: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the removed
    down-sampling: FA-Net, section III-A.

    Subclasses define `architecture` and `bottlenecks`, the number of blocks of conv2 to conv5.
    """

    all_stages = STAGES
    stages_to_stride_8 = 3
    bottlenecks: ClassVar[tuple[int, ...]]

    @staticmethod
    def normalise(images):
        """Maps images to BGR minus ImageNet's mean pixel, about [-124, 152]."""
        return keras.ops.flip(images, axis=-1) - keras.ops.cast(MEAN_BGR, images.dtype)

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
        others = range(2, self.bottlenecks[index] + 1)
        return [first, *(_Bottleneck(filters, name=f"{stage}_block{n}") for n in others)]


class ResNet14(ResNet):
    """One block a stage: for demos, without published weights."""

    architecture = "resnet14"
    bottlenecks = (1, 1, 1, 1)


class ResNet26(ResNet):
    """Two blocks a stage: for demos, without published weights."""

    architecture = "resnet26"
    bottlenecks = (2, 2, 2, 2)


class ResNet50(ResNet):
    """ResNet-50."""

    architecture = "resnet50"
    bottlenecks = (3, 4, 6, 3)
    imagenet = (_URL.format(architecture), "4d473c1dd8becc155b73f8504c6f6626")


class ResNet101(ResNet):
    """ResNet-101."""

    architecture = "resnet101"
    bottlenecks = (3, 4, 23, 3)
    imagenet = (_URL.format(architecture), "88cf7a10940856eca736dc7b7e228a21")


class ResNet152(ResNet):
    """ResNet-152."""

    architecture = "resnet152"
    bottlenecks = (3, 8, 36, 3)
    imagenet = (_URL.format(architecture), "ee4c566cf9a93f14d82f913c2dc6dd0c")
