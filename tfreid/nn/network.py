"""A network: what turns images into descriptors."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf


@dataclass(frozen=True)
class Network:
    """A model and how images are given to it.

    Attributes:
      name: tells it from the others, for example the folder of its run.
      model: has `embed` and `explain`; see `tfreid.methods.Method`. None where something else
        computes the descriptors.
      image_size_px: height, width of its input.
      flip_averaging: average the descriptors of an image and of its mirror image.
      weight: of its cosine among those of networks that it is combined with.
    """

    name: str
    model: keras.Model | None
    image_size_px: tuple[int, int]
    flip_averaging: bool = False
    weight: float = 1.0

    def outputs(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns what it tells of images, float32.

        Args:
          images: float32 `[batch, *image_size_px, 3]` in [0, 255].

        Returns:
          `embedding` `[batch, d]`, not normalised; of a model that is matched by reconstruction
          also `positions` `[batch, N, d']` and `foreground` `[batch, N]`, which stay those of the
          image where its descriptor is averaged with that of the mirror image.
        """
        outputs = self._embed(images)
        if self.flip_averaging:
            mirrored = self._embed(tf.image.flip_left_right(images))["embedding"]
            outputs["embedding"] = (outputs["embedding"] + mirrored) / 2
        return {name: tf.cast(values, tf.float32) for name, values in outputs.items()}

    def _embed(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = self.model.embed(images)
        return dict(outputs) if isinstance(outputs, Mapping) else {"embedding": outputs}

    @property
    def in_graph(self) -> bool:
        """Whether TensorFlow computes `outputs` alone, so that they can be compiled."""
        return True

    @cached_property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name of an output -> its shape for one image."""
        outputs = self._embed(tf.zeros((1, *self.image_size_px, 3)))
        return {name: tuple(values.shape[1:]) for name, values in outputs.items()}

    @property
    def descriptor_size(self) -> int:
        """Values of a descriptor."""
        return self.output_shapes["embedding"][0]

    @property
    def can_explain(self) -> bool:
        """Whether its model shows where it looks."""
        return hasattr(self.model, "explain")

    @property
    def has_positions(self) -> bool:
        """Whether it is matched by reconstruction: it gives position features, too."""
        return "positions" in self.output_shapes

    def to_json(self) -> dict[str, Any]:
        """Returns what it is as one of several, for JSON."""
        return {
            "name": self.name,
            "image_size_px": list(self.image_size_px),
            "flip_averaging": self.flip_averaging,
            **({"descriptor": "pooled"} if self.has_positions else {}),
            **({"weight": self.weight} if self.weight != 1 else {}),
        }
