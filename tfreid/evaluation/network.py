"""Descriptors of one network, or of several as one (SPReID, section 4.3).

Combined descriptors are those of each network, scaled to unit length, one after the other. Their
cosine is the mean of the networks' cosines. A network that is matched by reconstruction gives its
pooled descriptor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfreid.evaluation.descriptors import (
    Advance,
    Descriptors,
    Outputs,
    describe_split,
    embedder,
    no_progress,
    outputs_of,
)
from tfreid.inputs import InputSpec
from tfreid.records import Records
from tfreid.retrieval import normalise


@dataclass(frozen=True)
class Network:
    """A model and how images are given to it.

    Attributes:
      name: tells it from the others, for example the folder of its run.
      model: has `embed` and `explain`; see `tfreid.methods.Method`.
      image_size_px: height, width of its input.
      flip_averaging: average the descriptors of an image and of its mirror image.
    """

    name: str
    model: keras.Model
    image_size_px: tuple[int, int]
    flip_averaging: bool = False

    def described(self) -> dict[str, Any]:
        """Returns what it is as one of several, for JSON."""
        return {
            "name": self.name,
            "image_size_px": list(self.image_size_px),
            "flip_averaging": self.flip_averaging,
        } | ({"descriptor": "pooled"} if self.has_positions else {})

    @cached_property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """What it tells of an image, as one tells: name of an output -> its shape."""
        outputs = outputs_of(self.model, tf.zeros((1, *self.image_size_px, 3)), False)
        return {name: tuple(values.shape[1:]) for name, values in outputs.items()}

    @property
    def descriptor_size(self) -> int:
        """Values of a descriptor."""
        return self.output_shapes["embedding"][0]

    @property
    def has_positions(self) -> bool:
        """Whether it is matched by reconstruction: it gives position features, too."""
        return "positions" in self.output_shapes


class Describer:
    """Computes the descriptors of one network, or the combined ones of several."""

    def __init__(self, networks: Sequence[Network], batch_size: int, positions: bool = False):
        """Prepares the networks; they are traced when they are first used.

        Args:
          networks: at least one.
          batch_size: images in a batch.
          positions: whether position features are wanted, which `describe` passes on.
        """
        self._embedders = [
            (network, embedder(network.model, network.image_size_px, batch_size, flip, positions))
            for network in networks
            for flip in [network.flip_averaging]
        ]

    def describe(
        self,
        folder: Records,
        split: str,
        variant: str = "original",
        seed: int = 0,
        advance: Advance = no_progress,
        indices: np.ndarray | None = None,
        keep: Callable[[Outputs, Outputs], None] | None = None,
    ) -> Descriptors:
        """Computes the descriptors of a split.

        Args:
          folder: the converted data set.
          split: `"query"` or `"gallery"`.
          variant: of the images.
          seed: chooses the random backgrounds.
          advance: called with the number of images after each batch of each network.
          indices: int64 `[n]`: the records to take, in this order, instead of all.
          keep: given each batch and the outputs of each network for it.

        Returns:
          The descriptors, as the network gives them if it is the only one, and whose they are.

        Raises:
          DataError: if a record is damaged.
          TrainingError: if a descriptor is not finite.
        """
        parts = []
        for network, embed in self._embedders:
            spec = InputSpec(image_size_px=network.image_size_px, variant=variant)
            parts.append(describe_split(embed, folder, split, spec, seed, advance, indices, keep))
        if len(parts) == 1:
            return parts[0]
        return Descriptors(combine([p.features for p in parts]), parts[0].identities, parts[0].keys)


def combine(descriptors: Sequence[np.ndarray]) -> np.ndarray:
    """Combines descriptors of the same images.

    Args:
      descriptors: `[n, d]` floats of each network, of any d.

    Returns:
      `[n, sum of all d]` float32, each network's part of unit length.
    """
    return np.concatenate([normalise(part) for part in descriptors], axis=1)
