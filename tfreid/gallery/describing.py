"""From image files to descriptors, and what tells one model's descriptors from another's."""

import io
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import tensorflow as tf
from PIL import Image

from tfreid.errors import DataError, UsageError
from tfreid.nn.network import Network
from tfreid.report.pictures import overlay
from tfreid.retrieval import OpenSetSearches, normalise
from tfreid.serving.refused import RefusedImagesError, fault_of
from tfreid.serving.signatures import describe, maps, preprocess

_BATCH_IMAGES = 32
_PROBES, _PROBE_PX = 4, (64, 32)
_MOST_DIFFERENT = 1e-3
"""Cosine distance of a probe's descriptors by one model in two runtimes; 1e-5 is usual."""


class ImageDescriber:
    """A network that takes image files.

    Args:
      network: of any format; `tfreid.networks.open_network`.
    """

    def __init__(self, network: Network):
        self.network = network
        files = tf.TensorSpec([None], tf.string)
        compiled = tf.function(self._embed, input_signature=[files], autograph=False)
        self._compute = compiled if network.in_graph else self._embed

    def describe(self, files: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        """Returns the descriptors of image files, float32 `[n, d]`, of unit length.

        Args:
          files: JPEG, PNG or BMP, of at most 50 million pixels.
          names: what errors call them.

        Raises:
          RefusedImagesError: if some are not decoded; it names all of them.
          DataError: if the model gives a descriptor that is not finite or has no length.
        """
        starts = range(0, len(files), _BATCH_IMAGES)
        try:
            parts = [self._batch(files[start : start + _BATCH_IMAGES]) for start in starts]
        except tf.errors.InvalidArgumentError:
            faults = {place: fault_of(file) for place, file in enumerate(files)}
            if not any(faults.values()):
                raise
            named = {place: f"{names[place]}: {fault}" for place, fault in faults.items() if fault}
            raise RefusedImagesError(named) from None
        found = np.concatenate(parts)
        lengths = np.linalg.norm(found, axis=1)
        for place in np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0))):
            raise DataError(f"{names[place]}: the model gives a descriptor without direction")
        return normalise(found)

    @cached_property
    def searches(self) -> OpenSetSearches | None:
        """How searches fared where the model was measured; None where nothing is known of it.

        Raises:
          DataError: if what an export says of it is damaged.
        """
        facts = getattr(self.network.model, "facts", {})
        if facts.get("searches") is None:
            return None
        try:
            return OpenSetSearches.from_json(facts["searches"])
        except ValueError as error:
            raise DataError(f"{self.network.name}: serving.json is damaged: {error}") from None

    @cached_property
    def fingerprint(self) -> np.ndarray:
        """Returns the descriptors of pictures that are always the same, float32 `[4, d]`.

        Another model gives others, the same one in another file or runtime nearly the same.
        """
        return self.describe(_probes(), [f"picture {n} of the fingerprint" for n in range(_PROBES)])

    def require(self, fingerprint: np.ndarray, gallery: str) -> None:
        """Makes sure that the descriptors of a gallery are this network's.

        Raises:
          UsageError: if they are another one's.
        """
        own = self.fingerprint
        is_same = own.size == fingerprint.size
        if is_same:
            cosines = np.sum(own * fingerprint.reshape(own.shape), axis=1)
            is_same = np.all(1 - cosines <= _MOST_DIFFERENT)
        if not is_same:
            raise UsageError(
                f"{self.network.name} is another model, or another version, than the one whose "
                f"descriptors are in {gallery}: give that one (model), or describe the images anew "
                "with python -m tfreid.gallery rebuild"
            )

    def overlay(self, file: bytes) -> bytes | None:
        """Returns where the model looks on a picture, PNG; None where it cannot tell.

        Raises:
          RefusedImagesError: if the file is not decoded.
        """
        if fault := fault_of(file):
            raise RefusedImagesError({0: fault})
        if not self.network.can_explain:
            return None
        pixels = preprocess(tf.constant([file]), [self.network.image_size_px])[0]
        heat = next(iter(maps(self.network.model, pixels).values())).numpy()[0]
        low, high = heat.min(), heat.max()
        heat = (heat - low) / max(high - low, 1e-6)
        shown = overlay(np.rint(pixels.numpy()[0]).astype(np.uint8), heat)
        buffer = io.BytesIO()
        Image.fromarray(shown).save(buffer, "PNG")
        return buffer.getvalue()

    @property
    def size(self) -> int:
        """Values of a descriptor."""
        return self.fingerprint.shape[1]

    def _embed(self, files: tf.Tensor) -> tf.Tensor:
        pixels = preprocess(files, [self.network.image_size_px])
        return describe([self.network], pixels)["embedding"]

    def _batch(self, files: Sequence[bytes]) -> np.ndarray:
        return np.asarray(self._compute(tf.constant(list(files), tf.string)), np.float32)


def _probes() -> list[bytes]:
    """Smooth pictures of arbitrary colours, PNG: what any model tells apart."""
    random, files = np.random.default_rng(20181101), []
    for _ in range(_PROBES):
        coarse = random.integers(0, 256, (8, 4, 3), dtype=np.uint8)
        height, width = _PROBE_PX
        buffer = io.BytesIO()
        # Each value as a block: no library's interpolation has a say in it.
        blocks = np.repeat(np.repeat(coarse, height // 8, axis=0), width // 4, axis=1)
        Image.fromarray(blocks).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return files
