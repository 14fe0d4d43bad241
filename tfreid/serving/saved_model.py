"""A model read back from what the export wrote."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, MissingPathError
from tfreid.files import read_json
from tfreid.retrieval import OpenSetSearches
from tfreid.serving.export import EXTRA, FACTS, SEARCHES
from tfreid.serving.facts import read_facts
from tfreid.serving.refused import RefusedImagesError, faults_of
from tfreid.serving.signatures import DEFAULT, EMBED_IMAGES, EXPLAIN


class ServedModel:
    """An exported model; the audit takes it in place of a Keras model.

    Attributes:
      path: folder of the version.
      facts: contents of its `serving.json`.
      image_size_px: height, width of its input; of a combination, that of its largest network.
      beta: of the reconstruction by which its position features are compared; None where it has
        none.
    """

    def __init__(self, path: str | Path):
        """Loads a version.

        Args:
          path: folder of one version, such as `export/1`.

        Raises:
          MissingPathError: if there is no SavedModel.
          DataError: if it is none that the export wrote, or damaged.
        """
        self.path = Path(path)
        if not (self.path / "saved_model.pb").is_file():
            raise MissingPathError(
                f"{self.path} holds no exported model (no saved_model.pb): give the folder of one "
                "version, such as export/1, that python -m tfreid.export wrote"
            )
        try:
            self.facts, known = read_facts(self.path / EXTRA / FACTS)
            self.image_size_px = known.image_size_px
            self._matching = known.matching
            self.beta = self._matching.beta if self._matching else None
            self._loaded = tf.saved_model.load(str(self.path))
            self._signatures = {
                name: self._loaded.signatures[name] for name in (DEFAULT, EMBED_IMAGES, EXPLAIN)
            }
        except (OSError, ValueError, KeyError, TypeError, tf.errors.OpError) as error:
            raise DataError(
                f"{self.path} is damaged, or not a model that python -m tfreid.export wrote: "
                f"{error!r}"
            ) from error

    @property
    def searches(self) -> OpenSetSearches | None:
        """How searches fared among the test images; None where the export does not say.

        Raises:
          DataError: if the file is damaged.
        """
        path = self.path / EXTRA / SEARCHES
        if not path.is_file():
            return None
        try:
            return OpenSetSearches.from_json(read_json(path, dict))
        except ValueError as error:
            raise DataError(f"{path} is damaged: {error}") from None

    def embed(self, images: tf.Tensor) -> tf.Tensor | dict[str, tf.Tensor]:
        """Returns the descriptors `[n, d]` of images, float32, of unit L2 norm.

        Args:
          images: float32 `[n, *image_size_px, 3]` in [0, 255]; smaller networks of a combination
            resize them once more, which `embed_files` does without.

        Returns:
          As a Keras model's `embed`: of one that is matched by reconstruction a dict of the
          descriptors, `embedding`, and of `positions` and `foreground`.
        """
        outputs = self._signatures[EMBED_IMAGES](images=tf.cast(images, tf.float32))
        return outputs["embedding"] if self.beta is None else outputs

    def embed_files(self, files: Sequence[bytes]) -> np.ndarray:
        """Returns the descriptors `[n, d]` of image files, float32, of unit L2 norm.

        Args:
          files: JPEG, PNG or BMP, of at most 50 million pixels.

        Raises:
          RefusedImagesError: if some cannot be decoded.
        """
        return self.describe_files(files)["embedding"]

    def describe_files(self, files: Sequence[bytes]) -> dict[str, np.ndarray]:
        """Returns all that the model tells of image files, float32, as `ReidClient.describe` does.

        Args:
          files: JPEG, PNG or BMP, of at most 50 million pixels.

        Raises:
          RefusedImagesError: if some cannot be decoded.
        """
        files = list(files)
        try:
            outputs = self._signatures[DEFAULT](image_bytes=tf.constant(files, tf.string))
        except tf.errors.InvalidArgumentError:
            faults = faults_of(files)
            if not faults:
                raise
            raise RefusedImagesError(
                {place: f"image {place} of the list: {fault}" for place, fault in faults.items()}
            ) from None
        return {name: values.numpy() for name, values in outputs.items()}

    def patches(self, image_size_px: tuple[int, int]) -> np.ndarray:
        """Returns top, left, bottom, right of each position's patch, int `[N, 4]`, in pixels."""
        return np.array(self._matching.patches)

    def explain(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the maps that show where the model looks, float32 `[n, h, w]` by name.

        Args:
          images: float32 `[n, *image_size_px, 3]` in [0, 255]; the signature takes files, so
            they are rounded to whole numbers.
        """
        pixels = tf.saturate_cast(tf.round(images), tf.uint8)
        image_bytes = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)
        outputs = self._signatures[EXPLAIN](image_bytes=image_bytes)
        return {name: values for name, values in outputs.items() if name != "embedding"}
