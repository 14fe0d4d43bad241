"""Descriptors of one network, or of several as one (SPReID, section 4.3).

Combined descriptors are those of each network, scaled to unit length, one after the other. Their
cosine is the mean of the networks' cosines, weighted if they have weights. A network that is
matched by reconstruction gives its pooled descriptor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfreid.errors import TrainingError
from tfreid.evaluation.descriptors import (
    Advance,
    Descriptors,
    Outputs,
    describe_split,
    embedder,
    no_progress,
    require_seeing,
)
from tfreid.inputs import InputSpec
from tfreid.nn.network import Network
from tfreid.records import Records
from tfreid.retrieval import normalise


@dataclass(frozen=True)
class DescribedNetwork(Network):
    """A network whose descriptors were computed elsewhere; here its model only explains, if at all.

    Attributes:
      descriptors: variant and split -> the descriptors of all the split's images, in the order of
        its records; of images that have no mask anything, in variants that need one.
    """

    descriptors: Mapping[tuple[str, str], Descriptors] = field(default_factory=dict)

    @property
    def has_positions(self) -> bool:
        """Whether the descriptors are the pooled ones of a network that gives position features."""
        return next(iter(self.descriptors.values())).pooled

    def to_json(self) -> dict[str, Any]:
        """Returns what it is, for JSON; without a size where nothing is known of a model."""
        if self.model is not None:
            return super().to_json()
        size = next(iter(self.descriptors.values())).features.shape[1]
        facts = {"name": self.name, "format": "descriptors", "descriptor_size": size}
        return facts | {"image_size_px": None, "flip_averaging": False}


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
            (network, embedder(network, batch_size, positions)) for network in networks
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
          TrainingError: as `describe_split` and, of original images, `require_seeing`, and if all
            of these have one descriptor.
        """
        parts = []
        for network, embed in self._embedders:
            spec = InputSpec(image_size_px=network.image_size_px, variant=variant)
            found = describe_split(embed, folder, split, spec, seed, advance, indices, keep)
            images = found.features
            # Without the person, a model that sees nothing else may well see nothing.
            if variant == "original":
                require_seeing(found)
            if variant == "original" and len(images) > 1 and not np.ptp(images, axis=0).any():
                raise TrainingError(
                    f"{network.name} gives all {len(images)} images of {split} the same "
                    "descriptor: take another output of the model, or other weights"
                )
            parts.append(found)
        if len(parts) == 1:
            return parts[0]
        weights = [network.weight for network, _ in self._embedders]
        features = combine([part.features for part in parts], weights)
        return Descriptors(features, parts[0].identities, parts[0].keys)


def combine(
    descriptors: Sequence[np.ndarray], weights: Sequence[float] | None = None
) -> np.ndarray:
    """Combines descriptors of the same images.

    Args:
      descriptors: `[n, d]` floats of each network, of any d.
      weights: of each network's cosine in that of the combined descriptors, up to a factor; the
        same for all unless given.

    Returns:
      `[n, sum of all d]` float32, each network's part of unit length, or with a weight w of √w.
    """
    scales = np.sqrt(weights or [1.0] * len(descriptors)).astype(np.float32)
    units = (normalise(part) for part in descriptors)
    return np.concatenate([k * part for k, part in zip(scales, units, strict=True)], axis=1)
