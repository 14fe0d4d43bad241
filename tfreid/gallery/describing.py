"""From image files to descriptors, and what tells one model's descriptors from another's."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import tensorflow as tf
from PIL import Image

from tfreid.errors import DataError, UsageError
from tfreid.nn.network import Network
from tfreid.report.pictures import overlay
from tfreid.retrieval import OpenSetSearches, normalise
from tfreid.retrieval.reconstruction import PositionFeatures
from tfreid.serving.refused import RefusedImagesError, fault_of
from tfreid.serving.signatures import describe, maps, preprocess

_BATCH_IMAGES = 32
_IN_MEMORY = 64
"""Images whose positions are held; of a network at the paper's size, of one 0.9 MB."""

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
        compiled = tf.function(self._outputs, input_signature=[files], autograph=False)
        self._compute = compiled if network.in_graph else self._outputs

    def describe(self, files: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        """Returns the descriptors of image files, float32 `[n, d]`, of unit length.

        Args:
          files: JPEG, PNG or BMP, of at most 50 million pixels.
          names: what errors call them.

        Raises:
          RefusedImagesError: if some are not decoded; it names all of them.
          DataError: if the model gives a descriptor that is not finite or has no length.
        """
        parts = [batch["embedding"] for batch in self._batches(files, names)]
        return _units(np.concatenate(parts), names)

    def describe_positions(self, files: Sequence[bytes], names: Sequence[str]) -> PositionFeatures:
        """Returns descriptors, as `describe` does, and positions of a network that gives these.

        The positions of many images are in half precision, and in a file without a name, which
        the system removes with the array.

        Args:
          files: JPEG, PNG or BMP, of at most 50 million pixels.
          names: what errors call them.

        Raises:
          RefusedImagesError, DataError: as `describe`; also for positions that are not finite.
          OSError: if the disk of temporary files is full.
        """
        descriptors, weights = [], []

        def positions() -> Iterator[np.ndarray]:
            for start, batch in enumerate(self._batches(files, names)):
                finite = np.isfinite(batch["positions"]).all(axis=(1, 2))
                finite &= np.isfinite(batch["foreground"]).all(axis=1)
                for place in np.flatnonzero(~finite):
                    name = names[start * _BATCH_IMAGES + place]
                    raise DataError(f"{name}: the model gives positions that are not finite")
                descriptors.append(batch["embedding"])
                weights.append(batch["foreground"])
                yield batch["positions"]

        joined = (
            _in_file(positions()) if len(files) > _IN_MEMORY else np.concatenate([*positions()])
        )
        found = _units(np.concatenate(descriptors), names)
        return PositionFeatures.from_arrays(joined, np.concatenate(weights), found)

    @property
    def beta(self) -> float | None:
        """Of the reconstruction by which positions are compared; None where descriptors are.

        Positions have no mean with those of the mirror image.
        """
        has = self.network.has_positions and not self.network.flip_averaging
        return float(self.network.model.beta) if has else None

    @cached_property
    def searches(self) -> OpenSetSearches | None:
        """How searches fared where the model was measured; None where that is not known.

        Those among drawn persons are not taken: photographed strangers come much nearer.

        Raises:
          DataError: if the file of an export that says so is damaged.
        """
        facts = getattr(self.network.model, "facts", {})
        measured = (facts.get("open_set") or facts).get("data", {})
        drawn = isinstance(measured, dict) and measured.get("synthetic")
        return None if drawn else getattr(self.network.model, "searches", None)

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

    def _outputs(self, files: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = preprocess(files, [self.network.image_size_px])
        return describe([self.network], pixels)

    def _batches(
        self, files: Sequence[bytes], names: Sequence[str]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yields what the network tells of some images after others, float32."""
        try:
            for start in range(0, len(files), _BATCH_IMAGES):
                batch = tf.constant(list(files[start : start + _BATCH_IMAGES]), tf.string)
                yield {
                    name: np.asarray(values, np.float32)
                    for name, values in self._compute(batch).items()
                }
        except tf.errors.InvalidArgumentError:
            faults = {place: fault_of(file) for place, file in enumerate(files)}
            if not any(faults.values()):
                raise
            named = {place: f"{names[place]}: {fault}" for place, fault in faults.items() if fault}
            raise RefusedImagesError(named) from None


def _in_file(parts: Iterator[np.ndarray]) -> np.ndarray:
    """Joins arrays in half precision, in a file that has no name and ends with the process."""
    count = 0
    with tempfile.TemporaryFile() as file:
        for part in parts:
            file.write(part.astype(np.float16).tobytes())
            count += len(part)
        file.flush()
        return np.memmap(file, np.float16, "r", shape=(count, *part.shape[1:]))


def _units(descriptors: np.ndarray, names: Sequence[str]) -> np.ndarray:
    lengths = np.linalg.norm(descriptors, axis=1)
    for place in np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0))):
        raise DataError(f"{names[place]}: the model gives a descriptor without direction")
    return normalise(descriptors)


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
