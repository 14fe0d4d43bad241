"""Runs a model over a split, in one compiled shape."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tfreid.errors import TrainingError
from tfreid.inputs import InputSpec, data_errors, evaluation_batches
from tfreid.records import DatasetFolder
from tfreid.retrieval import Identities


@dataclass(frozen=True)
class Descriptors:
    """The descriptors of a split's images, in the order of its records.

    Attributes:
      features: `[n, d]` float32.
      identities: who is on the images and which camera took them.
      keys: `[n]` strings, the images' keys.
    """

    features: np.ndarray
    identities: Identities
    keys: np.ndarray


def apply_in_batches(
    function: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
    folder: DatasetFolder,
    split: str,
    spec: InputSpec,
    batch_size: int,
    seed: int,
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Applies a function of images to a whole split.

    The function is compiled once, for full batches. The last batch is padded to that size and the
    outputs of the padding are dropped, so every image is seen once.

    Args:
      function: maps images `[batch_size, height, width, 3]` to named tensors, image by image.
      folder: the converted data set.
      split: `"query"`, `"gallery"`, `"train"` or `"val"`.
      spec: how records become images.
      batch_size: images in a batch.
      seed: chooses the random backgrounds.

    Yields:
      The batch and the outputs, both as arrays of the images in the batch.

    Raises:
      DataError: if a record is damaged.
    """
    shape = (batch_size, *spec.image_size_px, 3)
    compiled = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)])
    with data_errors():
        for batch in evaluation_batches(folder, split, spec, batch_size, seed):
            count = len(batch["image"])
            padded = tf.pad(batch["image"], [[0, batch_size - count], [0, 0], [0, 0], [0, 0]])
            outputs = {name: value[:count].numpy() for name, value in compiled(padded).items()}
            yield {name: value.numpy() for name, value in batch.items()}, outputs


def describe(
    model: keras.Model,
    folder: DatasetFolder,
    split: str,
    spec: InputSpec,
    *,
    batch_size: int,
    seed: int = 0,
    flip_averaging: bool = False,
) -> Descriptors:
    """Computes the descriptors of a split.

    Args:
      model: has `embed(images) -> [batch, d]`.
      folder: the converted data set.
      split: `"query"` or `"gallery"`.
      spec: how records become images.
      batch_size: images in a batch; the descriptors do not depend on it.
      seed: chooses the random backgrounds.
      flip_averaging: average the descriptors of an image and of its mirror image.

    Returns:
      The descriptors and whose they are.

    Raises:
      TrainingError: if a descriptor is not finite.
    """

    def embed(images):
        descriptors = model.embed(images)
        if flip_averaging:
            descriptors = (descriptors + model.embed(tf.image.flip_left_right(images))) / 2
        return {"descriptor": tf.cast(descriptors, tf.float32)}

    columns: dict[str, list] = {"descriptor": [], "person_id": [], "camera_id": [], "key": []}
    for batch, outputs in apply_in_batches(embed, folder, split, spec, batch_size, seed):
        for name, parts in columns.items():
            parts.append({**batch, **outputs}[name])
    features, person, camera, key = (np.concatenate(parts) for parts in columns.values())
    if not np.isfinite(features).all():
        bad = key[~np.isfinite(features).all(axis=1)]
        raise TrainingError(
            f"the model's descriptor of {bad[0].decode()} is not finite, and so are those of "
            f"{len(bad) - 1} other images: the weights are not usable"
        )
    return Descriptors(features, Identities(person, camera), np.array([k.decode() for k in key]))
