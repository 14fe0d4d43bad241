"""Runs a model over a split, in one compiled shape."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfreid.errors import TrainingError
from tfreid.inputs import InputSpec, data_errors, evaluation_batches
from tfreid.nn.network import Network
from tfreid.records import Records
from tfreid.retrieval import Identities, PositionFeatures

Outputs = Mapping[str, np.ndarray]
Advance = Callable[[int], None]
"""Is told how many more images are done."""


def no_progress(images: int) -> None:
    """Reports nothing."""


MOST_BLANK = 0.1
"""Share of original images of which a model may see nothing before its output is called wrong."""


@dataclass(frozen=True)
class Descriptors:
    """The descriptors of a split's images, in the order of its records.

    Attributes:
      features: `[n, d]` float32.
      identities: who is on the images and which camera took them.
      keys: `[n]` strings, the images' keys.
      pooled: whether these are the pooled descriptors of a model that has position features too.
      positions: the position features of the images that are not junk, in their order; None
        where they were not asked for.
    """

    features: np.ndarray
    identities: Identities
    keys: np.ndarray
    pooled: bool = False
    positions: PositionFeatures | None = None

    @property
    def blank(self) -> int:
        """How many are all zeros, at distance 1 from everything."""
        return int((~self.features.any(axis=1)).sum())

    def __getitem__(self, chosen: np.ndarray) -> "Descriptors":
        """Returns those of some images, by their indices, without position features."""
        identities, keys = self.identities[chosen], self.keys[chosen]
        return Descriptors(self.features[chosen], identities, keys, self.pooled)


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
        in_graph: bool = True,
    ):
        """Prepares the function; it is traced when it is first used.

        Args:
          function: maps float32 images `[batch, height, width, 3]` to named tensors, each image
            by itself.
          image_size_px: height, width of the images.
          batch_size: images in a batch.
          in_graph: whether the function can be compiled; else it is called as it is.
        """
        self._batch_size = batch_size
        signature = tf.TensorSpec((batch_size, *image_size_px, 3), tf.float32)
        compiled = tf.function(function, input_signature=[signature]) if in_graph else None
        self._function = compiled or function

    def over(
        self,
        folder: Records,
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
        with data_errors(folder):
            for batch in evaluation_batches(folder, split, spec, self._batch_size, seed, indices):
                outputs = self._padded(batch["image"])
                yield {name: value.numpy() for name, value in batch.items()}, outputs
                advance(len(batch["image"]))

    def apply(self, images: np.ndarray, advance: Advance = no_progress) -> dict[str, np.ndarray]:
        """Applies the function to images, float32 `[n, height, width, 3]`, n at least 1.

        Args:
          images: of any number.
          advance: called with the number of images after each batch.

        Returns:
          The outputs as arrays `[n, ...]`.
        """
        parts = []
        for start in range(0, len(images), self._batch_size):
            batch = images[start : start + self._batch_size]
            parts.append(self._padded(tf.constant(batch)))
            advance(len(batch))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _padded(self, images: tf.Tensor) -> dict[str, np.ndarray]:
        count = len(images)
        padding = [[0, self._batch_size - count], [0, 0], [0, 0], [0, 0]]
        outputs = self._function(tf.pad(images, padding))
        return {name: value[:count].numpy() for name, value in outputs.items()}


def embedder(network: Network, batch_size: int, positions: bool = False) -> Batched:
    """Returns the function from images to what a network tells of them.

    Args:
      network: the network.
      batch_size: images in a batch.
      positions: whether `positions` are wanted, if the network gives them.
    """

    def embed(images):
        outputs = network.outputs(images)
        return {name: outputs[name] for name in outputs if positions or name != "positions"}

    return Batched(embed, network.image_size_px, batch_size, network.in_graph)


def describe_split(
    embed: Batched,
    folder: Records,
    split: str,
    spec: InputSpec,
    seed: int = 0,
    advance: Advance = no_progress,
    indices: np.ndarray | None = None,
    keep: Callable[[Outputs, Outputs], None] | None = None,
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
      keep: given each batch and its outputs; takes what is too large to be held here.

    Returns:
      The descriptors and whose they are.

    Raises:
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
    """
    columns: dict[str, list] = {"embedding": [], "person_id": [], "camera_id": [], "key": []}
    pooled = False
    for batch, outputs in embed.over(folder, split, spec, seed, advance, indices):
        pooled = "foreground" in outputs
        for name, parts in columns.items():
            parts.append({**batch, **outputs}[name])
        if keep:
            keep(batch, outputs)
    features, person, camera, key = (np.concatenate(parts) for parts in columns.values())
    keys = np.array([k.decode() for k in key])
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        raise TrainingError(
            f"the model's descriptor of {keys[bad][0]} is not finite{_others(bad)}: the weights "
            "are not usable"
        )
    return Descriptors(features, Identities(person, camera), keys, pooled)


def require_seeing(found: Descriptors) -> None:
    """Raises a `TrainingError` if too many descriptors of original images are all zeros."""
    bad = ~found.features.any(axis=1)
    if bad.sum() > MOST_BLANK * len(bad):
        raise TrainingError(
            f"the model's descriptor of {found.keys[bad][0]} is all zeros, near to nothing"
            f"{_others(bad)}: look whether the images show anything, and take another output or "
            "other weights"
        )


def _others(bad: np.ndarray) -> str:
    return f", and so are those of {bad.sum() - 1} other images" if bad.sum() > 1 else ""
