"""Inception-V3 in stages, with the constants of `keras.applications`."""

import keras

from tfreid.nn.backbone import KERAS_APPLICATIONS, Backbone, NormalisedConvolution
from tfreid.nn.units import batch_normalisation, scaled

BLOCKS = {
    "mixed0": ("64:1x1", "48:1x1 64:5x5", "64:1x1 96:3x3 96:3x3", "average 32:1x1"),
    "mixed1": ("64:1x1", "48:1x1 64:5x5", "64:1x1 96:3x3 96:3x3", "average 64:1x1"),
    "mixed2": ("64:1x1", "48:1x1 64:5x5", "64:1x1 96:3x3 96:3x3", "average 64:1x1"),
    "mixed3": ("384:3x3/2", "64:1x1 96:3x3 96:3x3/2", "max/2"),
    **{
        stage: (
            "192:1x1",
            f"{narrow}:1x1 {narrow}:1x7 192:7x1",
            f"{narrow}:1x1 {narrow}:7x1 {narrow}:1x7 {narrow}:7x1 192:1x7",
            "average 192:1x1",
        )
        for stage, narrow in (("mixed4", 128), ("mixed5", 160), ("mixed6", 160), ("mixed7", 192))
    },
    "mixed8": ("192:1x1 320:3x3/2", "192:1x1 192:1x7 192:7x1 192:3x3/2", "max/2"),
    **dict.fromkeys(
        ("mixed9", "mixed10"),
        (
            "320:1x1",
            "384:1x1 384:1x3 384:3x1",
            "448:1x1 384:3x3 384:1x3 384:3x1",
            "average 192:1x1",
        ),
    ),
}
"""Stage -> its branches: `channels:kernel` of convolutions, after 3x3 pooling; `/2` is a stride.

1x3 and 3x1 stand side by side, all others one behind the other."""

STAGES = ("stem", *BLOCKS)
"""Stages, in order. The stem takes an eighth of the resolution; mixed3 and mixed8 halve it."""

DILATED_POOLINGS = ("dilated", "plain")
"""Average pooling of dilated blocks: over 3x3 positions that lie 2 apart, or over all 5x5."""


def _convolution(filters, kernel_size, strides, padding, dilation=1, *, name):
    """A convolution without bias, batch normalisation without scale, ReLU."""
    return NormalisedConvolution(
        keras.layers.Conv2D(
            filters,
            kernel_size,
            strides,
            padding,
            dilation_rate=dilation,
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        ),
        batch_normalisation(f"{name}_bn", epsilon=1e-3, scale=False),
        keras.ops.relu,
    )


def _unpadded(output_stride):
    """Returns the strides of the layers with a kernel of 3 and no padding, in order."""
    stem, mixed3, mixed8 = (2, 1, 2, 1, 2), (2,), (2,)
    return stem + mixed3 + (mixed8 if output_stride == 32 else ())


class _DilatedAverage(keras.layers.Layer):
    """Average over 3x3 positions that lie `dilation` apart; those outside do not count."""

    def __init__(self, dilation):
        super().__init__(name="pool")
        self.dilation = dilation

    def call(self, x):
        return self._sum(x) / self._sum(keras.ops.ones_like(x[:1, ..., :1]))

    def _sum(self, x):
        return self._sum_along(2, self._sum_along(1, x))

    def _sum_along(self, axis, x):
        size, d = keras.ops.shape(x), self.dilation
        padded = keras.ops.pad(x, [(d, d) if index == axis else (0, 0) for index in range(4)])
        starts = ([i if index == axis else 0 for index in range(4)] for i in (0, d, 2 * d))
        # Not padded[:, d:-d], whose gradient is slow on a CPU.
        return sum(keras.ops.slice(padded, start, size) for start in starts)


class _Stem(keras.layers.Layer):
    """Five convolutions, two poolings: an eighth of the resolution, 192 channels."""

    def __init__(self, width):
        super().__init__(name="stem")
        shapes = ((32, 3, 2, "valid"), (32, 3, 1, "valid"), (64, 3, 1, "same"))
        shapes += ((80, 1, 1, "valid"), (192, 3, 1, "valid"))
        self.row = [
            _convolution(scaled(filters, width), *rest, name=f"stem_unit{number}")
            for number, (filters, *rest) in enumerate(shapes)
        ]
        self.pool = keras.layers.MaxPooling2D(3, 2)
        self.filters = self.row[-1].filters

    def build(self, input_shape):
        for unit in self.row:
            unit.build(input_shape)
            input_shape = (*input_shape[:-1], unit.filters)

    def call(self, x, training=None):
        for unit in self.row[:3]:
            x = unit(x, training=training)
        x = self.pool(x)
        for unit in self.row[3:]:
            x = unit(x, training=training)
        return self.pool(x)

    def leaves(self):
        return [layer for unit in self.row for layer in unit.leaves()]


class _Branch(keras.layers.Layer):
    """One branch of a block: pooling or not, then convolutions, of which the last two may fork.

    Args:
      notation: as in `BLOCKS`.
      width: multiplies the channels.
      halve: False reads `/2` as stride 1, with same padding.
      dilation: of kernels larger than 1, and of average pooling.
      pooling: one of `DILATED_POOLINGS`.
      name: such as `mixed0_branch1`.
    """

    def __init__(self, notation, width, halve, dilation, pooling, name):
        super().__init__(name=name)
        self.pool, units = None, []
        for word in notation.split():
            strides, padding = (2, "valid") if halve and word.endswith("/2") else (1, "same")
            kind, _, kernel = word.removesuffix("/2").partition(":")
            if kind == "max":
                self.pool = keras.layers.MaxPooling2D(3, strides, padding)
            elif kind == "average":
                self.pool = _average(dilation, pooling)
            else:
                size = tuple(int(side) for side in kernel.split("x"))
                shape = (size, strides, padding, 1 if size == (1, 1) else dilation)
                filters = scaled(int(kind), width)
                units.append(_convolution(filters, *shape, name=f"{name}_unit{len(units)}"))
        end = len(units) - (2 if notation.endswith("3x1") else 0)
        self.row, self.fork = units[:end], units[end:]
        self.filters = sum(unit.filters for unit in self.fork or self.row[-1:])

    def build(self, input_shape):
        for unit in self.row:
            unit.build(input_shape)
            input_shape = (*input_shape[:-1], unit.filters)
        for unit in self.fork:
            unit.build(input_shape)

    def call(self, x, training=None):
        x = self.pool(x) if self.pool else x
        for unit in self.row:
            x = unit(x, training=training)
        if not self.fork:
            return x
        return keras.ops.concatenate([unit(x, training=training) for unit in self.fork], -1)

    def units(self):
        """Yields distance and layer of each convolution with its normalisation.

        The distance is the number of layers of `keras.applications` to the end of the block: 3
        for a convolution, 1 for a fork.
        """
        end = 4 if self.fork else 0
        for index, unit in enumerate(self.row):
            yield end + 3 * (len(self.row) - index), unit
        for unit in self.fork:
            yield end, unit


def _average(dilation, pooling):
    if dilation == 1 or pooling == "plain":
        return keras.layers.AveragePooling2D(1 + 2 * dilation, 1, padding="same")
    return _DilatedAverage(dilation)


class _Block(keras.layers.Layer):
    """Branches side by side, concatenated.

    Args:
      stage: a key of `BLOCKS`.
      inputs: channels that max-pooling passes through.
      width: as in `_Branch`.
      halve: as in `_Branch`.
      dilation: as in `_Branch`.
      pooling: as in `_Branch`.
    """

    def __init__(self, stage, inputs, width, halve, dilation, pooling):
        super().__init__(name=stage)
        self.branches = [
            _Branch(notation, width, halve, dilation, pooling, f"{stage}_branch{number}")
            for number, notation in enumerate(BLOCKS[stage])
        ]
        self.filters = sum(branch.filters or inputs for branch in self.branches)

    def build(self, input_shape):
        for branch in self.branches:
            branch.build(input_shape)

    def call(self, x, training=None):
        return keras.ops.concatenate([branch(x, training=training) for branch in self.branches], -1)

    def leaves(self):
        # keras.applications sorts layers by their distance from the end, and so do its files.
        units = [unit for branch in self.branches for unit in branch.units()]
        units.sort(key=lambda unit: -unit[0])
        return [layer for _, unit in units for layer in unit.leaves()]


class InceptionV3(Backbone):
    """Consecutive stages of Inception-V3, without the classifier.

    At output stride 32, with the same weights, the whole network gives the feature map of
    `keras.applications.InceptionV3` without its top: 512x170 gives 14x3x2048. The names of
    its layers are our own, because the published ones are numbers.

    At output stride 16 (SPReID, section 3.2) the grid reduction mixed8 has stride 1 and same
    padding, and in mixed9 and mixed10 kernels larger than 1 are dilated by 2: 512x512 gives
    30x30x2048. Their average pooling is dilated too, which the paper does not state: so each
    layer sees the positions that it was trained on, and where mixed7 has odd sides every other
    position of the map, from the second on, equals the map of output stride 32. The authors' code
    averages over all 5x5 positions, `dilated_pooling="plain"`.

    Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.

    The stem takes images of 75x75 px and more at output stride 32, of 43x43 at 16.
    """

    architecture = "inception_v3"
    all_stages = STAGES
    stages_to_stride_8 = 4
    imagenet = (
        f"{KERAS_APPLICATIONS}/inception_v3/"
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "bcbd6486424b2319ff4ef7d526e38f63",
    )

    def __init__(self, *args, dilated_pooling: str = "dilated", **kwargs):
        """Takes the arguments of `Backbone`, and one of `DILATED_POOLINGS`."""
        self.dilated_pooling = dilated_pooling
        super().__init__(*args, **kwargs)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "dilated_pooling": self.dilated_pooling}

    @staticmethod
    def normalise(images):
        """Maps images to RGB in [-1, 1]."""
        return images / 127.5 - 1.0

    @classmethod
    def positions(cls, side_px, output_stride):
        """Returns how many positions a side of an image gives the feature map."""
        for stride in _unpadded(output_stride):
            side_px = (side_px - 3) // stride + 1
        return side_px

    @classmethod
    def offset_px(cls, output_stride):
        """Returns the pixels of the image above, and left of, the map's first position."""
        centre_px = 0
        for stride in reversed(_unpadded(output_stride)):
            centre_px = stride * centre_px + 1
        return centre_px + 1 - output_stride // 2

    def make_blocks(self, stages):
        """Returns new blocks of consecutive stages, in order."""
        blocks = [_Stem(self.width)] if "stem" in stages else []
        for stage in stages[len(blocks) :]:
            inputs = blocks[-1].filters if blocks else self._pooled_channels(stage)
            halve = stage != "mixed8" or self.output_stride == 32
            dilation = 2 if stage in ("mixed9", "mixed10") and self.output_stride == 16 else 1
            blocks.append(_Block(stage, inputs, self.width, halve, dilation, self.dilated_pooling))
        return blocks

    def _pooled_channels(self, stage):
        """Returns the channels that come from the preceding stage by max-pooling."""
        if "max/2" not in BLOCKS[stage]:
            return 0
        before = STAGES[STAGES.index(stage) - 1]
        return InceptionV3(width=self.width, stages=(before,)).filters
