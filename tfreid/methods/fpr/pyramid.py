"""Pyramid pooling: the positions whose features are matched (FPR, section 3.1)."""

import itertools
from collections.abc import Sequence

import keras
import numpy as np

from tfreid.errors import UsageError
from tfreid.nn import Backbone


def fitting_kernels(
    kernels: Sequence[int],
    image_size_px: Sequence[int],
    backbone: type[Backbone] | Backbone,
    output_stride: int,
) -> tuple[int, ...]:
    """Leaves out the kernels that are larger than the feature map.

    The paper pools without padding, so that such a kernel has no position.

    Args:
      kernels: of the pyramid, in positions of the feature map.
      image_size_px: height, width of the image.
      backbone: that makes the map.
      output_stride: of the backbone.

    Returns:
      The others, in the same order.

    Raises:
      UsageError: if none is left.
    """
    size = backbone.map_size(image_size_px, output_stride)
    fitting = tuple(kernel for kernel in kernels if kernel <= min(size))
    if not fitting:
        smallest = backbone.smallest_px(min(kernels), output_stride)
        raise UsageError(
            f"an image of {image_size_px[0]}x{image_size_px[1]} px has a feature map of "
            f"{size[0]}x{size[1]} positions, and the smallest kernel of the pyramid needs "
            f"{min(kernels)}x{min(kernels)}: give images of at least {smallest}x{smallest} px"
        )
    return fitting


def pool_pyramid(maps, kernels: Sequence[int], stride: int, pool=keras.ops.max_pool):
    """Pools a map with several kernels, without padding, into one row of positions.

    Args:
      maps: `[batch, h, w, channels]`.
      kernels: sides of the pooled patches; none may be larger than h or w.
      stride: of all kernels.
      pool: `keras.ops.max_pool`, or `average_pool`.

    Returns:
      `[batch, N, channels]`: kernel after kernel, each row by row. 24x8 with kernels 2, 4, 6, 8
      and stride 2 gives N = 48 + 33 + 20 + 9 = 110.
    """
    levels = [pool(maps, kernel, strides=stride, padding="valid") for kernel in kernels]
    rows = [
        keras.ops.reshape(level, (-1, level.shape[1] * level.shape[2], level.shape[3]))
        for level in levels
    ]
    return keras.ops.concatenate(rows, axis=1)


def patches(size: tuple[int, int], kernels: Sequence[int], stride: int) -> np.ndarray:
    """Returns which part of the map each position of `pool_pyramid` sees.

    Args:
      size: height, width of the map.
      kernels: of the pyramid, none larger than the map.
      stride: of all kernels.

    Returns:
      int `[N, 4]`: top, left, bottom, right of each patch, the latter two exclusive.
    """
    corners = [
        (top, left, top + kernel, left + kernel)
        for kernel in kernels
        for top, left in itertools.product(
            range(0, size[0] - kernel + 1, stride), range(0, size[1] - kernel + 1, stride)
        )
    ]
    return np.array(corners)
