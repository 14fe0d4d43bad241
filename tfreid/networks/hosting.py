"""Runtimes other than TensorFlow, as functions of tensors."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, ServingError, UsageError
from tfreid.runtimes import first_line


def in_batches(
    run: Callable[[np.ndarray], np.ndarray], batch: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a function of any number of images, of one that takes `batch` at a time."""

    def all_images(images: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(images), batch):
            part = images[start : start + batch]
            missing = batch - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
            parts.append(np.asarray(run(filled))[: len(part)])
        return np.concatenate(parts)

    return all_images


def hosted(
    run: Callable[[np.ndarray], np.ndarray], label: str, size: int
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function of arrays as one of tensors, outside of graphs.

    In a graph, a function that uses TensorFlow itself would wait for ever on a machine with one
    core: for the thread that waits for it.

    Args:
      run: `[n, ...]` -> `[n, size]`, or with axes of one element besides.
      label: what to call it in messages.
      size: of a descriptor.
    """

    def checked(images: np.ndarray) -> np.ndarray:
        try:
            # A copy: some models change their input, and the tensor's memory is not theirs.
            found = np.asarray(run(np.array(images)))
            return found.astype(np.float32, copy=False).reshape(len(images), size)
        except (UsageError, ServingError, DataError) as error:
            raise DataError(str(error)) from error
        except Exception as error:
            raise DataError(f"{label} failed: {first_line(error)}") from error

    def call(images: tf.Tensor) -> tf.Tensor:
        return tf.constant(checked(images.numpy()))

    return call
