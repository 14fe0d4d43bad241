"""A SavedModel that takes image files and gives descriptors."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, UsageError
from tfreid.inputs import decode_image, resize_image

TOLERANCE = 1e-4
"""Largest difference between an exported embedding's value and the Keras model's."""


def export(
    model: keras.Model, image_size_px: tuple[int, int], base: str | Path, sample: Sequence[bytes]
) -> Path:
    """Writes the next version of a SavedModel and checks that it computes what the model does.

    Signatures:
      serving_default: `image_bytes`, string `[batch]`, JPEG, PNG or BMP files of any size ->
        `embedding`, float32 `[batch, d]`, of unit L2 norm.
      embed_images: `images`, float32 `[batch, *image_size_px, 3]` in [0, 255] -> `embedding`.

    Args:
      model: has `embed`.
      image_size_px: height, width of its input.
      base: folder of the versions; the new one is a number above those that are there.
      sample: encoded images for the check.

    Returns:
      The folder of the version; it appears when it is complete and checked.

    Raises:
      UsageError: if the model gives no descriptor.
      DataError: if the exported model's embeddings differ by more than `TOLERANCE`.
    """
    if not hasattr(model, "embed"):
        raise UsageError(f"{type(model).__name__} gives no descriptor: there is nothing to export")
    base = Path(base)
    base.mkdir(parents=True, exist_ok=True)
    version = base / str(
        1 + max((int(p.name) for p in base.iterdir() if p.name.isdigit()), default=0)
    )
    partial = base / f".{version.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _write(model, image_size_px, partial)
    _verify(model, image_size_px, partial, sample)
    os.replace(partial, version)
    return version


def _preprocess(image_bytes: tf.Tensor, image_size_px: tuple[int, int]) -> tf.Tensor:
    return tf.map_fn(
        lambda encoded: resize_image(decode_image(encoded), image_size_px),
        image_bytes,
        fn_output_signature=tf.TensorSpec((*image_size_px, 3), tf.float32),
    )


def _write(model: keras.Model, image_size_px: tuple[int, int], path: Path) -> None:
    def embed_images(images):
        return {"embedding": tf.math.l2_normalize(model.embed(images), axis=-1)}

    def serve(image_bytes):
        return embed_images(_preprocess(image_bytes, image_size_px))

    archive = keras.export.ExportArchive()
    archive.track(model)
    text = tf.TensorSpec([None], tf.string, name="image_bytes")
    images = tf.TensorSpec((None, *image_size_px, 3), tf.float32, name="images")
    archive.add_endpoint("serving_default", serve, input_signature=[text])
    archive.add_endpoint("embed_images", embed_images, input_signature=[images])
    archive.write_out(str(path), verbose=False)


def _verify(
    model: keras.Model, image_size_px: tuple[int, int], path: Path, sample: Sequence[bytes]
) -> None:
    image_bytes = tf.constant(list(sample))
    served = tf.saved_model.load(str(path)).signatures["serving_default"](image_bytes=image_bytes)
    expected = tf.math.l2_normalize(model.embed(_preprocess(image_bytes, image_size_px)), axis=-1)
    difference = float(np.abs(served["embedding"] - expected).max())
    if not difference <= TOLERANCE:
        raise DataError(
            f"the exported model's embeddings differ from the trained model's by {difference:g}, "
            f"more than {TOLERANCE:g}: nothing was written"
        )
