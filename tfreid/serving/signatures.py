"""What an exported model can be asked, as TensorFlow functions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from tfreid.datasets.files import DECODED_FORMATS, MAX_IMAGE_MPX
from tfreid.evaluation import Network
from tfreid.inputs import resize_image
from tfreid.serving.decoding import decode_upright
from tfreid.serving.orientation import orientations

DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
EMBED_IMAGES = "embed_images"
EXPLAIN = "explain"

PREPROCESSING = {
    "decoding": f"{DECODED_FORMATS} to RGB in [0, 255], at most {MAX_IMAGE_MPX:g} million pixels",
    "orientation": "turned upright as EXIF says",
    "resizing": "bilinear, without anti-aliasing, pixel centres at half-integers",
    "normalising": "by the model",
}
"""What happens to an image in the graph, in words."""

# Traced once a process and stored once an export, for all signatures: it is most of their graphs.
_FILES, _FILE, _NUMBER = (
    tf.TensorSpec(shape, dtype)
    for shape, dtype in (([None], tf.string), ([], tf.string), ([], tf.int32))
)
_orientations = tf.function(orientations, input_signature=[_FILES], autograph=False)
_decode_upright = tf.function(decode_upright, input_signature=[_FILE, _NUMBER], autograph=False)


@dataclass(frozen=True)
class Signature:
    """One way to ask a model.

    Attributes:
      function: maps the one input to named outputs; the leading dimension of all is the batch.
      spec: name, dtype and shape of the input.
    """

    function: Callable[[tf.Tensor], dict[str, tf.Tensor]]
    spec: tf.TensorSpec


def make_signatures(networks: Sequence[Network]) -> dict[str, Signature]:
    """Returns the signatures of a network, or of several whose descriptors are combined.

    serving_default: `image_bytes`, string `[batch]`, JPEG, PNG or BMP files, which EXIF may turn ->
      what `describe` tells of them.
    embed_images: `images`, float32 `[batch, *input_size_px(networks), 3]` in [0, 255] -> the same.
      Networks of another size resize them once more, which files are spared.
    explain: `image_bytes` -> `embedding` and each map of `explain` of the first network's model
      under its own name, float32 `[batch, h, w]`.

    Args:
      networks: at least one; the maps are those of the image without flip averaging.
    """
    sizes = [network.image_size_px for network in networks]
    resized = [
        tf.TensorSpec((None, *size, 3), tf.float32, name=f"images_{place}")
        for place, size in enumerate(sizes)
    ]
    image_bytes = tf.TensorSpec([None], tf.string, name="image_bytes")
    images = tf.TensorSpec((None, *input_size_px(networks), 3), tf.float32, name="images")

    @tf.function(input_signature=resized)  # Traced and stored once, for all three.
    def embed(*resized):
        return describe(networks, resized)

    def embed_images(images):
        return embed(*resize(images, sizes))

    def serve(image_bytes):
        return embed(*preprocess(image_bytes, sizes))

    def explain(image_bytes):
        resized = preprocess(image_bytes, sizes)
        embedding = embed(*resized)["embedding"]
        return {"embedding": embedding, **maps(networks[0].model, resized[0])}

    return {
        DEFAULT: Signature(serve, image_bytes),
        EMBED_IMAGES: Signature(embed_images, images),
        EXPLAIN: Signature(explain, image_bytes),
    }


def input_size_px(networks: Sequence[Network]) -> tuple[int, int]:
    """Returns height, width of the largest network's input."""
    return max((network.image_size_px for network in networks), key=math.prod)


def describe(networks: Sequence[Network], resized: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns what is told of images, float32.

    Args:
      networks: one, or several whose descriptors of unit length follow each other.
      resized: the images in the size of each network.

    Returns:
      `embedding` `[batch, d]` of unit L2 norm; of a single network that is matched by
      reconstruction also `positions` `[batch, N, d']` and `foreground` `[batch, N]`.
    """
    parts = [network.outputs(images) for network, images in zip(networks, resized, strict=True)]
    units = [tf.math.l2_normalize(part["embedding"], axis=-1) for part in parts]
    if len(parts) == 1:
        return {**parts[0], "embedding": units[0]}
    return {"embedding": tf.math.l2_normalize(tf.concat(units, -1), axis=-1)}


def maps(model: keras.Model, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the maps of a model's `explain`, float32 `[batch, h, w]`, by name."""
    return {name: tf.cast(values, tf.float32) for name, values in model.explain(images).items()}


def preprocess(image_bytes: tf.Tensor, sizes_px: Sequence[tuple[int, int]]) -> list[tf.Tensor]:
    """Decodes image files once, upright, and resizes them as in training and evaluation.

    Args:
      image_bytes: string `[batch]`, JPEG, PNG or BMP files.
      sizes_px: height, width of each result.

    Returns:
      For each size RGB in [0, 255], float32 `[batch, *size, 3]`.
    """
    return tf.map_fn(
        lambda file: resize(_decode_upright(*file), sizes_px),
        (image_bytes, _orientations(image_bytes)),
        fn_output_signature=[tf.TensorSpec((*size, 3), tf.float32) for size in sizes_px],
    )


def resize(images: tf.Tensor, sizes_px: Sequence[tuple[int, int]]) -> list[tf.Tensor]:
    """Resizes images, or one image, to several sizes; float32."""
    return [resize_image(images, size) for size in sizes_px]
