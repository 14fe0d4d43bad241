"""EfficientNetV2-B0 in stages, with the layer names and constants of `keras.applications`."""

import functools

import keras

from tfreid.nn.backbone import KERAS_APPLICATIONS, Backbone, NormalisedConvolution
from tfreid.nn.units import batch_normalisation, scaled

BLOCKS = {
    "block1": (1, 16, 1, 1, False),
    "block2": (2, 32, 4, 2, False),
    "block3": (2, 48, 4, 2, False),
    "block4": (3, 96, 4, 2, True),
    "block5": (5, 112, 6, 1, True),
    "block6": (8, 192, 6, 2, True),
}
"""Stage -> its number of blocks, channels, expansion, stride, and whether it is separable."""

STAGES = ("stem", *BLOCKS, "top")
"""Stages, in order: stem, block2, block3, block4 and block6 halve the resolution."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels, RGB in [0, 1]."""

_CHANNELS = {"stem": 32} | {stage: block[1] for stage, block in BLOCKS.items()} | {"top": 1280}
_initializer = functools.partial(
    keras.initializers.VarianceScaling, 2.0, "fan_out", "truncated_normal"
)


def _with_normalisation(convolution, name, activation):
    normalisation = batch_normalisation(f"{name}_bn", momentum=0.9)
    return NormalisedConvolution(convolution, normalisation, activation)


def _convolution(filters, kernel_size, strides=1, activation=keras.ops.silu, *, name):
    """A convolution without bias, batch normalisation and SiLU, unless told otherwise."""
    convolution = keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        "same",
        use_bias=False,
        kernel_initializer=_initializer(),
        name=f"{name}_conv",
    )
    return _with_normalisation(convolution, name, activation)


def _depthwise(strides, *, name):
    """The same with 3x3 positions of each channel by itself."""
    convolution = keras.layers.DepthwiseConv2D(
        3,
        strides,
        "same",
        use_bias=False,
        depthwise_initializer=_initializer(),
        name=f"{name}_dwconv2",
    )
    return _with_normalisation(convolution, name, keras.ops.silu)


class _SqueezeExcitation(keras.layers.Layer):
    """Weighs each channel by what the whole map shows.

    Args:
      filters: channels of the map.
      squeezed: channels in between.
      name: prefix of the published names.
    """

    def __init__(self, filters, squeezed, *, name):
        super().__init__(name=name)
        self.reduce, self.expand = (
            keras.layers.Conv2D(
                channels,
                1,
                activation=activation,
                kernel_initializer=_initializer(),
                name=f"{name}_{step}",
            )
            for channels, activation, step in (
                (squeezed, "silu", "reduce"),
                (filters, "sigmoid", "expand"),
            )
        )

    def build(self, input_shape):
        self.reduce.build(input_shape)
        self.expand.build((*input_shape[:-1], self.reduce.filters))

    def call(self, x, training=None):
        return x * self.expand(self.reduce(keras.ops.mean(x, axis=(1, 2), keepdims=True)))

    def leaves(self):
        return [self.reduce, self.expand]


class _Block(keras.layers.Layer):
    """An inverted bottleneck: more channels, then 3x3 positions, then the block's channels.

    Args:
      inputs: channels of the input.
      filters: channels of the output.
      expansion: multiple of `inputs` in between.
      strides: spatial stride.
      separable: whether the 3x3 positions are seen channel by channel, with squeeze and
        excitation, or by the convolution that expands (Fused-MBConv).
      skip: whether the input is added.
      name: the published one, such as `block4a`.
    """

    def __init__(self, inputs, filters, expansion, strides, separable, skip, *, name):
        super().__init__(name=name)
        self.filters, self.skip = filters, skip
        self.wide = wide = expansion * inputs
        project = f"{name}_project"
        if separable:
            self.row = [
                _convolution(wide, 1, name=f"{name}_expand"),
                _depthwise(strides, name=name),
                _SqueezeExcitation(wide, max(1, inputs // 4), name=f"{name}_se"),
                _convolution(filters, 1, activation=None, name=project),
            ]
        elif expansion > 1:
            self.row = [
                _convolution(wide, 3, strides, name=f"{name}_expand"),
                _convolution(filters, 1, activation=None, name=project),
            ]
        else:
            self.row = [_convolution(filters, 3, strides, name=project)]

    def build(self, input_shape):
        for layer in self.row:
            layer.build(input_shape)
            input_shape = (*input_shape[:-1], self.wide)

    def call(self, x, training=None):
        shortcut = x
        for layer in self.row:
            x = layer(x, training=training)
        return x + shortcut if self.skip else x

    def leaves(self):
        return [leaf for layer in self.row for leaf in layer.leaves()]


class EfficientNetV2B0(Backbone):
    """Consecutive stages of EfficientNetV2-B0, without the classifier.

    At output stride 32, with the same weights, the whole network gives the feature map of
    `keras.applications.EfficientNetV2B0` without its top: 384x128 gives 12x4x1280. At output
    stride 16 block6 keeps the resolution of block5 and its convolutions are not dilated. No block
    is left out at random in training (stochastic depth).

    Source: Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021.
    """

    architecture = "efficientnet_v2_b0"
    all_stages = STAGES
    stages_to_stride_8 = 4
    imagenet = (
        f"{KERAS_APPLICATIONS}/efficientnet_v2/efficientnetv2-b0_notop.h5",
        "893217f2bb855e2983157299931e43ff",
    )

    @staticmethod
    def normalise(images):
        """Maps images to RGB of mean 0 and deviation 1 over ImageNet."""
        mean, deviation = (keras.ops.cast(value, images.dtype) for value in (MEAN, DEVIATION))
        return (images / 255.0 - mean) / deviation

    def make_blocks(self, stages):
        """Returns new blocks of consecutive stages, in order."""
        return [block for stage in stages for block in self._make_stage(stage)]

    def _make_stage(self, stage):
        filters = scaled(_CHANNELS[stage], self.width)
        if stage == "stem":
            return [_convolution(filters, 3, 2, name="stem")]
        if stage == "top":
            return [_convolution(filters, 1, name="top")]
        count, _, expansion, strides, separable = BLOCKS[stage]
        before = scaled(_CHANNELS[STAGES[STAGES.index(stage) - 1]], self.width)
        if stage == "block6" and self.output_stride == 16:
            strides = 1
        blocks = []
        for letter in "abcdefgh"[:count]:
            first = letter == "a"
            shape = (before if first else filters, filters, expansion, strides if first else 1)
            blocks.append(_Block(*shape, separable, skip=not first, name=stage + letter))
        return blocks
