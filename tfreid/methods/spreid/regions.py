"""From a parser's class probabilities to regions of the body, and pooling by them."""

import keras
import numpy as np

REGIONS: dict[str, tuple[int, ...]] = {
    "foreground": tuple(range(1, 20)),
    "head": (1, 2, 4, 13),
    "upper_body": (3, 5, 6, 7, 10, 11, 14, 15),
    "lower_body": (9, 12, 16, 17),
    "shoes": (8, 18, 19),
}
"""Region -> the `lip20` classes whose probabilities it sums (SPReID, section 4.2).

The paper names the regions, not their classes; these are those of the authors' code.
"""

_GROUPS = np.array([[label in labels for labels in REGIONS.values()] for label in range(20)])


def region_maps(probabilities):
    """Sums the probabilities of each region's classes.

    Args:
      probabilities: of the `lip20` classes, float `[batch, h, w, 20]`.

    Returns:
      Float `[batch, h, w, 5]` in [0, 1], in the order of `REGIONS`; the foreground is 1 minus the
      background.
    """
    maps = keras.ops.matmul(probabilities, keras.ops.cast(_GROUPS, probabilities.dtype))
    return keras.ops.minimum(maps, 1)  # A sum of rounded numbers may exceed it.


def l1_normalise(maps):
    """Divides every map by its sum over positions (SPReID, section 3.3).

    Args:
      maps: float `[batch, h, w, regions]`, not negative.

    Returns:
      The same shape; a map that is 0 everywhere stays so.
    """
    sums = keras.ops.sum(maps, axis=(1, 2), keepdims=True)
    return maps / keras.ops.maximum(sums, 1e-12)


def pool_regions(features, maps):
    """Pools a feature map by each region: a weighted sum over positions (SPReID, section 3.3).

    One matrix product serves all regions. The feature map is first resized bilinearly to the size
    of the region maps, which is finer.

    Args:
      features: float `[batch, height, width, channels]`.
      maps: region maps, float `[batch, h, w, regions]`, not normalised.

    Returns:
      `[batch, regions, channels]`.
    """
    size, (regions, channels) = maps.shape[1:3], (maps.shape[-1], features.shape[-1])
    resized = keras.ops.image.resize(features, size, interpolation="bilinear")
    resized = keras.ops.cast(resized, features.dtype)
    weights = keras.ops.cast(l1_normalise(maps), features.dtype)
    weights = keras.ops.reshape(weights, (-1, size[0] * size[1], regions))
    resized = keras.ops.reshape(resized, (-1, size[0] * size[1], channels))
    return keras.ops.matmul(keras.ops.transpose(weights, (0, 2, 1)), resized)


def describe(features, regions=None, foreground: bool = True):
    """Joins what was pooled to the descriptor (SPReID, section 3.3, Figure 1).

    Args:
      features: of the whole image, average-pooled, `[batch, channels]`.
      regions: pooled regions `[batch, 5, channels]` in the order of `REGIONS`; None for the
        baseline, whose descriptor is `features`.
      foreground: whether the foreground is part of the descriptor.

    Returns:
      `[batch, d]`: the whole image, the foreground, and the element-wise maximum over head, upper
      body, lower body and shoes.
    """
    if regions is None:
        return features
    pooled = [features, regions[:, 0]] if foreground else [features]
    return keras.ops.concatenate([*pooled, keras.ops.max(regions[:, 1:], axis=1)], axis=-1)
