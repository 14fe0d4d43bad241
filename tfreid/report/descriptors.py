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

Advance = Callable[[int], None]
"""Is told how many more images are done."""


def no_progress(images: int) -> None:
    """Reports nothing."""


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

    def __getitem__(self, chosen: np.ndarray) -> "Descriptors":
        """Returns those of some images, by their indices."""
        return Descriptors(self.features[chosen], self.identities[chosen], self.keys[chosen])


Describe = Callable[[str, str], Descriptors]
"""Variant and split -> the descriptors of all the split's images, in the order of its records."""


class Batched:
    """A function of images, compiled once for batches of one shape.

    The last batch of a split is padded to that shape and the outputs of the padding are dropped,
    so every image is seen once and no result depends on the batch size.
    """

    def __init__(
        self,
        function: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
        image_size_px: tuple[int, int],
        batch_size: int,
    ):
        """Prepares the function; it is traced when it is first used.

        Args:
          function: maps float32 images `[batch, height, width, 3]` to named tensors, each image
            by itself.
          image_size_px: height, width of the images.
          batch_size: images in a batch.
        """
        self._batch_size = batch_size
        signature = tf.TensorSpec((batch_size, *image_size_px, 3), tf.float32)
        self._function = tf.function(function, input_signature=[signature])

    def over(
        self,
        folder: DatasetFolder,
        split: str,
        spec: InputSpec,
        seed: int = 0,
        advance: Advance = no_progress,
        indices: np.ndarray | None = None,
    ) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
        """Applies the function to a whole split, in the order of its records.

        Args:
          folder: the converted data set.
          split: for example `"query"`.
          spec: how records become images.
          seed: chooses the random backgrounds.
          advance: called with the number of images after each batch.
          indices: int64 `[n]`: the records to take, in this order, instead of all.

        Yields:
          The batch and the outputs, both as arrays of the images in the batch.

        Raises:
          DataError: if a record is damaged.
        """
        with data_errors():
            for batch in evaluation_batches(folder, split, spec, self._batch_size, seed, indices):
                count = len(batch["image"])
                padding = [[0, self._batch_size - count], [0, 0], [0, 0], [0, 0]]
                outputs = self._function(tf.pad(batch["image"], padding))
                yield (
                    {name: value.numpy() for name, value in batch.items()},
                    {name: value[:count].numpy() for name, value in outputs.items()},
                )
                advance(count)


def descriptors_of(model: keras.Model, images: tf.Tensor, flip_averaging: bool) -> tf.Tensor:
    """Returns a model's descriptors `[batch, d]`, float32, not normalised.

    Args:
      model: has `embed(images) -> [batch, d]`.
      images: float32 `[batch, height, width, 3]` in [0, 255].
      flip_averaging: average the descriptors of an image and of its mirror image.
    """
    descriptors = model.embed(images)
    if flip_averaging:
        descriptors = (descriptors + model.embed(tf.image.flip_left_right(images))) / 2
    return tf.cast(descriptors, tf.float32)


def embedder(
    model: keras.Model, image_size_px: tuple[int, int], batch_size: int, flip_averaging: bool
) -> Batched:
    """Returns the function from images to `descriptor` `[batch, d]`.

    Args:
      model: has `embed(images) -> [batch, d]`.
      image_size_px: height, width of the model's input.
      batch_size: images in a batch.
      flip_averaging: average the descriptors of an image and of its mirror image.
    """

    def embed(images):
        return {"descriptor": descriptors_of(model, images, flip_averaging)}

    return Batched(embed, image_size_px, batch_size)


def describe_split(
    embed: Batched,
    folder: DatasetFolder,
    split: str,
    spec: InputSpec,
    seed: int = 0,
    advance: Advance = no_progress,
    indices: np.ndarray | None = None,
) -> Descriptors:
    """Computes the descriptors of a split.

    Args:
      embed: from `embedder`.
      folder: the converted data set.
      split: `"query"` or `"gallery"`.
      spec: how records become images.
      seed: chooses the random backgrounds.
      advance: called with the number of images after each batch.
      indices: int64 `[n]`: the records to take, in this order, instead of all.

    Returns:
      The descriptors and whose they are.

    Raises:
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
    """
    columns: dict[str, list] = {"descriptor": [], "person_id": [], "camera_id": [], "key": []}
    for batch, outputs in embed.over(folder, split, spec, seed, advance, indices):
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
