"""Tell what it is in a mean background that helps a model or harms it (docs/synthetic.md).

python -m benchmarks._backgrounds --run=demo/runs/dgd --images=demo/data/images
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageFilter

from tfreid.datasets import rows_of
from tfreid.datasets.row import JUNK_PERSON_ID
from tfreid.training import Run

Fill = Callable[["DrawnPersons"], np.ndarray]


class DrawnPersons:
    """The images of a split.

    Attributes:
      images: float32 `[n, height, width, 3]`.
      person_mask: bool `[n, height, width]`.
      person, camera: int `[n]`.
    """

    def __init__(self, images: Path, split: str):
        """Reads them."""
        rows = [row for row in rows_of("synthetic", images) if row.split == split]
        rows = [row for row in rows if row.person_id != JUNK_PERSON_ID]
        self.person = np.array([row.person_id for row in rows])
        self.camera = np.array([row.camera_id for row in rows])
        read = [np.asarray(Image.open(row.image_path), np.float32) for row in rows]
        self.images = np.stack(read)
        masks = [np.asarray(Image.open(row.mask_path)) > 0 for row in rows]
        self.person_mask = np.stack(masks)

    def before(self, background: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """The persons before another background, `[..., 3]`, by their masks or by others."""
        mask = self.person_mask if mask is None else mask
        return np.where(mask[..., None], self.images, background)


def grown(masks: np.ndarray, px: int) -> np.ndarray:
    """Masks that reach some pixels farther, or less far."""
    filtered = ImageFilter.MaxFilter if px > 0 else ImageFilter.MinFilter
    size = filtered(2 * abs(px) + 1)
    pictures = (Image.fromarray(mask.astype(np.uint8)).filter(size) for mask in masks)
    return np.stack([np.asarray(picture) > 0 for picture in pictures])


def coarse(masks: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Masks as a network with so many positions could make them at best."""
    values = tf.cast(masks, tf.float32)[..., None]
    values = tf.image.resize(values, (rows, columns), method="area")
    return tf.image.resize(values, masks.shape[1:])[..., 0].numpy() > 0.5


def fills(mean: np.ndarray, scenes: list[np.ndarray]) -> Iterator[tuple[str, Fill]]:
    """Yields names and what they make of the images."""

    def piece(seed: list[int], height: int, width: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        scene = scenes[rng.integers(len(scenes))]
        top = rng.integers(scene.shape[0] - height + 1)
        left = rng.integers(scene.shape[1] - width + 1)
        return scene[top : top + height, left : left + width]

    def pieces(part: DrawnPersons, keys: np.ndarray) -> np.ndarray:
        return np.stack([piece([0, int(key)], *part.images.shape[1:3]) for key in keys])

    def own_mean(part: DrawnPersons) -> np.ndarray:
        pairs = zip(part.images, part.person_mask, strict=True)
        means = [image[~mask].mean(0) if not mask.all() else mean for image, mask in pairs]
        return np.stack(means)[:, None, None]

    yield "original", lambda part: part.images
    yield "mean pixel", lambda part: part.before(mean)
    yield "mean of each image's own background", lambda part: part.before(own_mean(part))
    yield "one scene for all images", lambda part: part.before(piece([0], 128, 64))
    yield "one scene a person", lambda part: part.before(pieces(part, part.person))
    yield "a scene an image", lambda part: part.before(pieces(part, _keys(part)))
    for px in (2, 5, -2):
        name = f"mean pixel, mask {abs(px)} px {'larger' if px > 0 else 'smaller'}"
        yield name, lambda part, px=px: part.before(mean, grown(part.person_mask, px))
    for size in ((24, 12), (12, 6)):
        name = "mean pixel, mask of {}x{} positions".format(*size)
        yield name, lambda part, size=size: part.before(mean, coarse(part.person_mask, *size))
    yield "background alone", lambda part: part.before(mean, ~part.person_mask)


def _keys(part: DrawnPersons) -> np.ndarray:
    return 1_000 + len(part.person) + np.arange(len(part.person))


def main() -> None:
    """Prints rank-1 for each fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True)
    parser.add_argument("--images", required=True, type=Path)
    given = parser.parse_args()
    run = Run(given.run)
    query, gallery = DrawnPersons(given.images, "query"), DrawnPersons(given.images, "gallery")
    same_camera = query.camera[:, None] == gallery.camera
    same = query.person[:, None] == gallery.person
    scenes = [
        np.asarray(Image.open(path), np.float32)
        for path in sorted((given.images / "backgrounds").glob("*.jpg"))
    ]
    network = run.network

    @tf.function
    def embed(images: tf.Tensor) -> tf.Tensor:
        return network.model.embed(tf.image.resize(images, network.image_size_px))

    def described(images: np.ndarray) -> np.ndarray:
        parts = [embed(images[i : i + 256]).numpy() for i in range(0, len(images), 256)]
        found = np.concatenate(parts)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    for name, fill in fills(np.asarray(run.info.mean_pixel, np.float32), scenes):
        likeness = described(fill(query)) @ described(fill(gallery)).T
        likeness[same & same_camera] = -np.inf
        nearest = likeness.argmax(axis=1)
        rank1 = same[np.arange(len(nearest)), nearest][(same & ~same_camera).any(axis=1)].mean()
        print(f"{name:38} {100 * rank1:5.1f}", flush=True)


if __name__ == "__main__":
    main()
