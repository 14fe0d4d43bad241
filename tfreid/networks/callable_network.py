"""Any function from images to descriptors, as a network."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, UsageError
from tfreid.networks.foreign import ForeignModel, ForeignNetwork, network_of
from tfreid.networks.presentation import Presentation


def callable_network(
    function: Callable[[Any], Any],
    image_size_px: tuple[int, int],
    *,
    name: str | None = None,
    presentation: Presentation | None = None,
    flip_averaging: bool = False,
) -> ForeignNetwork:
    """Makes a network of a function.

    A Keras model or a `tf.function` is called with tensors, inside graphs too; anything else with
    arrays, which it may change, and may give an array, or a tensor of TensorFlow or PyTorch.

    Args:
      function: images, float32 `[n, height, width, 3]`, RGB in [0, 255], or as the presentation
        says -> descriptors `[n, d]` of numbers, for any n.
      image_size_px: height, width of the images it is given.
      name: of the network; the function's own unless given.
      presentation: how images are given to it.
      flip_averaging: average the descriptors of an image and of its mirror image.

    Raises:
      UsageError: if what it gives for two grey images is not `[2, d]` numbers.
      DataError: if it fails on them; later, in the same way, on other images.
    """
    own = getattr(function, "__name__", None) or getattr(function, "name", None)
    label = name or str(own or type(function).__name__)
    if not callable(function):
        raise UsageError(f"{label} cannot be called: give a function of images (function)")
    in_graph = isinstance(function, (keras.Layer, tf.types.experimental.GenericFunction))

    def run(images: np.ndarray) -> np.ndarray:
        return _numbers(function(tf.constant(images) if in_graph else images), label, len(images))

    model = ForeignModel(
        label=label,
        run=run,
        facts={"format": "callable"},
        graph=function if in_graph else None,
    )
    given = presentation or Presentation()
    said = {"image_size_px": tuple(image_size_px), "layout": given.layout or "nhwc"}
    network = network_of(model, label, given, said)
    return dataclasses.replace(network, flip_averaging=flip_averaging)


def _numbers(found: Any, label: str, count: int) -> np.ndarray:
    """Returns what a function gave as float32 `[count, d]`.

    Raises:
      UsageError: if it is something else.
      DataError: if a number is not finite.
    """
    if hasattr(found, "detach"):  # A tensor of PyTorch, which may lie elsewhere.
        found = found.detach().cpu()
    try:
        values = np.asarray(found)
    except (ValueError, TypeError):
        raise UsageError(f"{label} gave {type(found).__name__} and no array of numbers") from None
    if not (np.issubdtype(values.dtype, np.number) or values.dtype.name == "bfloat16"):
        raise UsageError(f"{label} gave {values.dtype} values and not numbers")
    if np.iscomplexobj(values):
        raise UsageError(f"{label} gave complex numbers: give real ones")
    if values.ndim < 2 or len(values) != count:
        raise UsageError(
            f"{label} gave an array of {list(values.shape)} for {count} images: expected "
            f"[{count}, d], one descriptor an image"
        )
    if not np.isfinite(values).all():
        raise DataError(f"{label} gave a descriptor that is not finite (NaN or infinite)")
    return values.astype(np.float32)
