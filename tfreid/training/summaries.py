"""TensorBoard: losses, learning rates, images a second, and pictures of what the model sees."""

from collections.abc import Mapping
from pathlib import Path

import keras
import matplotlib
import numpy as np
import tensorflow as tf

PICTURES = 8
"""Images in a batch of pictures."""

_OPACITY = 0.55


class Summaries:
    """Writes a run's TensorBoard events."""

    def __init__(self, folder: Path | None):
        """Opens an events file.

        Args:
          folder: where the events lie; None writes nothing (workers other than the first).
        """
        self._writer = (
            tf.summary.create_noop_writer()
            if folder is None
            else tf.summary.create_file_writer(str(folder))
        )
        self._active = folder is not None

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Writes scalars.

        Args:
          values: tag -> value.
          step: the run's step.
        """
        with self._writer.as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def pictures(
        self, stage: str, model: keras.Model, batch: Mapping[str, tf.Tensor], step: int
    ) -> None:
        """Writes the first images of a batch, their masks and the model's maps of them.

        Args:
          stage: name of the stage.
          model: if it has `explain`, its maps are laid over the images.
          batch: of one replica; `image` float32 `[batch, height, width, 3]` in [0, 255] and,
            perhaps, `mask` int32 `[batch, height, width]`.
          step: the run's step.
        """
        if not self._active:
            return
        images = batch["image"][:PICTURES]
        pictures = {"images": images.numpy().astype(np.uint8)}
        if "mask" in batch:
            pictures["masks"] = overlay_classes(images.numpy(), batch["mask"][:PICTURES].numpy())
        for name, picture in _explained(model, images).items():
            pictures[f"explain/{name}"] = picture
        self._write(stage, pictures, step)

    def test_images(self, images: tf.Tensor) -> None:
        """Writes the test images themselves, once, at step 0.

        Args:
          images: float32 `[batch, height, width, 3]` in [0, 255].
        """
        self._write("test", {"images": images.numpy().astype(np.uint8)}, step=0)

    def test_maps(self, model: keras.Model, images: tf.Tensor, step: int) -> None:
        """Writes the model's maps of the test images.

        Args:
          model: if it has `explain`, its maps are laid over the images.
          images: as for `test_images`.
          step: the run's step.
        """
        if self._active:
            self._write("test", _explained(model, images), step)

    def _write(self, prefix: str, pictures: Mapping[str, np.ndarray], step: int) -> None:
        with self._writer.as_default(step=step):
            for name, picture in pictures.items():
                tf.summary.image(f"{prefix}/{name}", picture, max_outputs=PICTURES)

    def close(self) -> None:
        """Writes what is still in memory."""
        self._writer.close()


def _explained(model: keras.Model, images: tf.Tensor) -> dict[str, np.ndarray]:
    maps = model.explain(images) if hasattr(model, "explain") else {}
    return {name: overlay_heat(images.numpy(), np.asarray(heat)) for name, heat in maps.items()}


def overlay_classes(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Tints each class of a mask in its own colour; class 0, the background, stays as it is.

    Args:
      images: float `[batch, height, width, 3]` in [0, 255].
      masks: int `[batch, height, width]`, classes.

    Returns:
      uint8 `[batch, height, width, 3]`.
    """
    palette = 255 * np.asarray(matplotlib.colormaps["tab20"].colors)
    tint = palette[(masks - 1) % len(palette)]
    opacity = _OPACITY * (masks > 0)[..., None]
    return (images * (1 - opacity) + tint * opacity).astype(np.uint8)


def overlay_heat(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Lays maps over images, from transparent blue-green (0) to opaque yellow (1).

    Args:
      images: float `[batch, height, width, 3]` in [0, 255].
      maps: float `[batch, h, w]` in [0, 1]; resized to the images.

    Returns:
      uint8 `[batch, height, width, 3]`.
    """
    maps = tf.image.resize(maps[..., None], images.shape[1:3]).numpy()
    heat = 255 * matplotlib.colormaps["viridis"](maps[..., 0])[..., :3]
    opacity = _OPACITY * (0.4 + 0.6 * maps)
    return (images * (1 - opacity) + heat * opacity).astype(np.uint8)
