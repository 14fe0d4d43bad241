"""What an exported model can be asked, as TensorFlow functions."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

from tfreid.inputs import decode_image, resize_image
from tfreid.report.descriptors import descriptors_of

DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
EMBED_IMAGES = "embed_images"
EXPLAIN = "explain"

PREPROCESSING = {
    "decoding": "JPEG, PNG or BMP to RGB in [0, 255]; of an animation the first picture",
    "resizing": "bilinear, without anti-aliasing, pixel centres at half-integers",
    "normalising": "by the model",
}
"""What happens to an image in the graph, in words."""


@dataclass(frozen=True)
class Signature:
    """One way to ask a model.

    Attributes:
      function: maps the one input to named outputs; the leading dimension of all is the batch.
      spec: name, dtype and shape of the input.
    """

    function: Callable[[tf.Tensor], dict[str, tf.Tensor]]
    spec: tf.TensorSpec


def make_signatures(
    model: keras.Model, image_size_px: tuple[int, int], flip_averaging: bool
) -> dict[str, Signature]:
    """Returns the signatures of a model.

    serving_default: `image_bytes`, string `[batch]`, JPEG, PNG or BMP files of any size ->
      `embedding`, float32 `[batch, d]`, of unit L2 norm.
    embed_images: `images`, float32 `[batch, *image_size_px, 3]` in [0, 255] -> `embedding`.
    explain: `image_bytes` -> `embedding` and each map of the model's `explain` under its own
      name, float32 `[batch, h, w]`.

    Args:
      model: has `embed` and `explain`.
      image_size_px: height, width of its input.
      flip_averaging: average the descriptors of an image and of its mirror image; the maps are
        those of the image.
    """

    image_bytes = tf.TensorSpec([None], tf.string, name="image_bytes")
    images = tf.TensorSpec((None, *image_size_px, 3), tf.float32, name="images")

    @tf.function(input_signature=[images])  # Traced and stored once, for all three.
    def embed_images(images):
        return {"embedding": unit_descriptors(model, images, flip_averaging)}

    def serve(image_bytes):
        return embed_images(preprocess(image_bytes, image_size_px))

    def explain(image_bytes):
        images = preprocess(image_bytes, image_size_px)
        return embed_images(images) | maps(model, images)

    return {
        DEFAULT: Signature(serve, image_bytes),
        EMBED_IMAGES: Signature(embed_images, images),
        EXPLAIN: Signature(explain, image_bytes),
    }


def unit_descriptors(model: keras.Model, images: tf.Tensor, flip_averaging: bool) -> tf.Tensor:
    """Returns a model's descriptors `[batch, d]` of images, float32, of unit L2 norm."""
    return tf.math.l2_normalize(descriptors_of(model, images, flip_averaging), axis=-1)


def maps(model: keras.Model, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the maps of a model's `explain`, float32 `[batch, h, w]`, by name."""
    return {name: tf.cast(values, tf.float32) for name, values in model.explain(images).items()}


def preprocess(image_bytes: tf.Tensor, image_size_px: tuple[int, int]) -> tf.Tensor:
    """Decodes and resizes image files as in training and evaluation.

    Args:
      image_bytes: string `[batch]`, JPEG, PNG or BMP files.
      image_size_px: height, width of the result.

    Returns:
      RGB in [0, 255], float32 `[batch, *image_size_px, 3]`.
    """
    return tf.map_fn(
        lambda encoded: resize_image(decode_image(encoded), image_size_px),
        image_bytes,
        fn_output_signature=tf.TensorSpec((*image_size_px, 3), tf.float32),
    )
