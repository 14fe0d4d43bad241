"""From parsing maps to the binary masks that gate PGP's branches."""

import keras

BRANCH_CLASSES: dict[int, tuple[tuple[int, ...], ...]] = {
    0: (),
    1: ((1, 2, 3),),
    2: ((1, 2), (3,)),
    3: ((1,), (2,), (3,)),
}
"""Number of branches -> for each branch, the `regions4` classes that it pools (PGP, Table 3)."""

BRANCH_NAMES: dict[int, tuple[str, ...]] = {
    0: (),
    1: ("foreground",),
    2: ("head_and_upper_torso", "lower_torso"),
    3: ("head", "upper_torso", "lower_torso"),
}
"""Number of branches -> their names."""


def region_masks(regions, branches: int):
    """Returns one binary mask for every branch.

    Args:
      regions: int `[batch, height, width]`, `regions4` classes.
      branches: 0 to 3.

    Returns:
      A list of float32 `[batch, height, width, 1]`, 1 inside the branch's region.
    """
    masks = []
    for classes in BRANCH_CLASSES[branches]:
        inside = sum(keras.ops.cast(regions == c, "float32") for c in classes)
        masks.append(keras.ops.expand_dims(inside, -1))
    return masks


def guided_pooling(features, mask):
    """Gates a feature map with a region mask (PGP, section 3.1).

    The mask is down-sampled by averaging, so a position at the region's edge counts by the share
    of its pixels that lie inside. The paper does not state how it down-samples.

    Args:
      features: float `[batch, h, w, channels]`.
      mask: float `[batch, height, width, 1]`, `height` and `width` about a multiple of `h`, `w`.

    Returns:
      `features` times the down-sampled mask.
    """
    strides = tuple(
        -(-size // small) for size, small in zip(mask.shape[1:3], features.shape[1:3], strict=True)
    )
    small = keras.ops.average_pool(mask, strides, strides=strides, padding="same")
    return features * keras.ops.cast(small, features.dtype)
