"""The network: a fully convolutional backbone, pyramid pooling, foreground probabilities."""

from collections.abc import Sequence

import keras
import numpy as np

from tfreid.methods.fpr.foreground import ForegroundGenerator, foreground_weights
from tfreid.methods.fpr.pyramid import fitting_kernels, patches, pool_pyramid
from tfreid.nn import Backbone, activation_map, backbone_class

DISTANCES = ("foreground", "uniform", "pooled")
"""FPR (eq. 5), reconstruction with equal weights (eq. 4, as DSR), and the baseline's descriptor."""


class FPR(keras.Model):
    """Describes an image by the features of N positions and by their foreground weights.

    With ResNet-50 at 384x128 the map is 24x8x2048 and N = 110. Images may have any size on whose
    map a kernel of the pyramid fits, from call to call, and N follows.

    Args:
      backbone: a name of `BACKBONES`, or a class.
      width: multiplies the backbone's channels.
      output_stride: of the backbone: 16, or 32.
      distance: one of `DISTANCES`, what the model is made for.
      kernels: of the pyramid's max-pooling.
      stride: of the same.
      persons: classes of the classifier of pooled descriptors; 0 leaves it out.
      beta: of the reconstruction by which the positions are compared.
    """

    def __init__(
        self,
        backbone: str | type[Backbone] = "resnet50",
        width: float = 1.0,
        output_stride: int = 16,
        distance: str = "foreground",
        kernels: Sequence[int] = (2, 4, 6, 8),
        stride: int = 2,
        persons: int = 0,
        beta: float = 0.01,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.beta = beta
        self.distance, self.kernels, self.stride = distance, tuple(kernels), stride
        self.backbone = backbone_class(backbone)(output_stride, width)
        self.generator = ForegroundGenerator() if distance == "foreground" else None
        self.classifier = None
        if persons:
            self.classifier = keras.layers.Dense(persons, dtype=keras.config.floatx())

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        self.backbone.build(input_shape)
        for layer in (self.generator, self.classifier):
            if layer:
                layer.build((None, self.backbone.filters))

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """What another run can start from."""
        parts = {
            "backbone": self.backbone,
            "foreground_generator": self.generator,
            "classifier": self.classifier,
        }
        return {name: part for name, part in parts.items() if part}

    def patches(self, image_size_px: tuple[int, int]) -> np.ndarray:
        """Returns the part of an image, without receptive field, that each position pools.

        Args:
          image_size_px: height, width of the image.

        Returns:
          int `[N, 4]`: top, left, bottom, right in pixels, the latter two exclusive.
        """
        output_stride = self.backbone.output_stride
        size = self.backbone.map_size(image_size_px, output_stride)
        cells = patches(size, self._fitting_kernels(image_size_px), self.stride)
        return self.backbone.offset_px(output_stride) + output_stride * cells

    def _fitting_kernels(self, image_size_px):
        return fitting_kernels(
            self.kernels, image_size_px, self.backbone, self.backbone.output_stride
        )

    def call(self, images, training=None):
        """Returns what the losses need.

        Args:
          images: float RGB `[batch, height, width, 3]` in [0, 255], height and width known.
          training: True uses, and updates, the statistics of the batch in the backbone.

        Returns:
          `embedding` `[batch, d]`, the mean over the feature map; `logits` `[batch, persons]` with
          a classifier. Unless distance is `pooled`, `positions` `[batch, N, d]`, each of length 1,
          and `foreground` `[batch, N]`, whose sum is 1; if it is `foreground`,
          `foreground_logits` `[batch, N]`.
        """
        features = self.features(images, training)
        outputs = {"embedding": keras.ops.mean(features, axis=(1, 2))}
        if self.classifier:
            outputs["logits"] = self.classifier(outputs["embedding"])
        if self.distance != "pooled":
            outputs |= self._positions(features, images.shape[1:3])
        return outputs

    def features(self, images, training=None):
        """Returns the backbone's map `[batch, h, w, channels]`, as of `call`."""
        return self.backbone(self.backbone.normalise(images), training=training)

    def _positions(self, features, image_size_px):
        pooled = pool_pyramid(features, self._fitting_kernels(image_size_px), self.stride)
        positions = keras.ops.normalize(pooled, axis=-1)
        if self.generator is None:
            equal = keras.ops.ones_like(positions[..., 0]) / positions.shape[1]
            return {"positions": positions, "foreground": equal}
        logits = self.generator(pooled)
        weights = foreground_weights(logits)
        return {"positions": positions, "foreground": weights, "foreground_logits": logits}

    def embed(self, images):
        """Returns the descriptors of images `[batch, height, width, 3]`, all float32.

        The pooled descriptor `[batch, d]` if distance is `pooled`; else `embedding`, the same,
        `positions` `[batch, N, d]` and `foreground` `[batch, N]`.
        """
        outputs = self(images, training=False)
        if self.distance == "pooled":
            return keras.ops.cast(outputs["embedding"], "float32")
        names = ("embedding", "positions", "foreground")
        return {name: keras.ops.cast(outputs[name], "float32") for name in names}

    def explain(self, images):
        """Returns where the backbone responds (`activation`) and the foreground probabilities.

        The latter, `foreground`, are those of the positions of the smallest kernel.
        """
        features = self.features(images, training=False)
        maps = {"activation": activation_map(features)}
        if self.generator:
            kernel = min(self.kernels)
            logits = self.generator(pool_pyramid(features, (kernel,), self.stride))
            rows, columns = ((side - kernel) // self.stride + 1 for side in features.shape[1:3])
            grid = keras.ops.reshape(keras.ops.sigmoid(logits), (-1, rows, columns))
            maps["foreground"] = keras.ops.cast(grid, "float32")
        return maps
