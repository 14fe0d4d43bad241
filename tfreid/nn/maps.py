"""Maps that show where a network responds."""

import keras


def activation_map(features):
    """Returns where a feature map responds: the L2 norm over channels, scaled to [0, 1].

    Args:
      features: float `[batch, height, width, channels]`.

    Returns:
      float32 `[batch, height, width]`; in each image the weakest position is 0, the strongest 1.
    """
    norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(features), axis=-1))
    low = keras.ops.min(norm, axis=(1, 2), keepdims=True)
    high = keras.ops.max(norm, axis=(1, 2), keepdims=True)
    return keras.ops.cast((norm - low) / (high - low + 1e-6), "float32")
