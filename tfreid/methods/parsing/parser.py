"""What the parsing networks share: the classes of every pixel, in a vocabulary, and their maps."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import keras

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.methods.parsing.heads import upsample


class Parser(keras.Model):
    """Tells the class of every pixel of an image.

    Subclasses define `scores` and `trained_layers`.

    Args:
      vocabulary: names the classes, a key of `VOCABULARIES`.
    """

    def __init__(self, vocabulary: str, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = vocabulary

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(VOCABULARIES[self.vocabulary])

    @property
    def parts(self) -> Mapping[str, keras.Model]:
        """What other methods can start from."""
        # No dict: Keras follows those when it loads weights, and would end nowhere.
        return MappingProxyType({"parser": self})

    def trained_layers(self) -> Mapping[str, Sequence[keras.layers.Layer]]:
        """Returns the layers to train, by the group that has a learning rate of its own."""
        raise NotImplementedError

    def scores(self, images, training=None):
        """Returns logits `[batch, h, w, classes]` at the network's own resolution.

        Args:
          images: float RGB `[batch, height, width, 3]` in [0, 255].
          training: True uses, and updates, the statistics of the batch.
        """
        raise NotImplementedError

    def enlarge(self, scores, size_px):
        """Resizes logits at the network's own resolution to images of `size_px`."""
        return upsample(scores, size_px)

    def call(self, images, training=None):
        """Returns `logits` float32 `[batch, height, width, classes]` for images in [0, 255]."""
        scores = keras.ops.cast(self.scores(images, training), keras.config.floatx())
        size_px = tuple(images.shape[1:3])
        if tuple(scores.shape[1:3]) != size_px:
            scores = self.enlarge(scores, size_px)
        return {"logits": scores}

    def probabilities(self, images):
        """Returns the classes' probabilities at the network's own resolution.

        Args:
          images: float RGB `[batch, height, width, 3]` in [0, 255].

        Returns:
          float32 `[batch, h, w, classes]`, 1 in sum over the classes of a position.
        """
        scores = keras.ops.cast(self.scores(images, training=False), "float32")
        return keras.ops.softmax(scores)

    def regions(self, images):
        """Returns the class of every pixel, int32 `[batch, height, width]`."""
        return keras.ops.argmax(self(images, training=False)["logits"], axis=-1)

    def explain(self, images):
        """Returns `foreground` `[batch, height, width]`, the probability of not background."""
        probabilities = keras.ops.softmax(self(images, training=False)["logits"])
        return {"foreground": 1.0 - probabilities[..., 0]}
