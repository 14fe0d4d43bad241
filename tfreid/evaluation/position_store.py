"""Position features of what an audit compares, in files: a gallery's do not fit in memory."""

import contextlib
import json
import math
import os
import shutil
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfreid.datasets import JUNK_PERSON_ID
from tfreid.errors import TrainingError, UsageError
from tfreid.evaluation.describer import Describer
from tfreid.evaluation.descriptors import Advance, Descriptors, Outputs
from tfreid.evaluation.measurement import Measurement
from tfreid.evaluation.sets import EvaluationSet
from tfreid.files import bytes_of, lock_folder, private_folder, require_space
from tfreid.nn.network import Network
from tfreid.retrieval import Identities
from tfreid.retrieval.reconstruction.positions import (
    PositionFeatures,
    PositionWriter,
    position_writer,
)

_IDENTITY = "made_from.json"
_COLUMNS = ("person/id", "camera/id", "image/key")


class PositionStore:
    """A folder with position features and distances, from which a stopped audit goes on."""

    def __init__(self, folder: Path, made_from: Mapping[str, Any], dtype: str):
        """Opens the folder; what an audit of something else left there is removed.

        Args:
          folder: of this store alone.
          made_from: all that its contents depend on, for JSON.
          dtype: of the position features, `"float32"` or `"float16"`.

        Raises:
          UsageError: if the folder is not this user's own, or holds something else.
        """
        private_folder(folder)
        self._folder, self._dtype = folder, dtype
        identity = json.dumps({**made_from, "dtype": dtype}, indent=1, sort_keys=True)
        path = folder / _IDENTITY
        known = path.read_text(encoding="utf-8") if path.is_file() else None
        if known is None and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty and holds no position features: move it away")
        if known != identity:
            shutil.rmtree(folder)
            private_folder(folder)
            path.write_text(identity, encoding="utf-8")

    def distances(self, variant: str) -> Path:
        """Returns the folder for the distances of a variant."""
        return self._folder / variant / "distances"

    def remove(self) -> None:
        """Removes the folder, and the one that it is in if nothing else is there."""
        shutil.rmtree(self._folder)
        if not any(self._folder.parent.iterdir()):
            self._folder.parent.rmdir()

    def describe(
        self,
        describer: Describer,
        tested: EvaluationSet,
        variant: str,
        split: str,
        seed: int,
        advance: Advance,
    ) -> Descriptors:
        """Describes a split's images with their position features, unless that was done before.

        Junk in the gallery, which is ranked for nobody, has no position features here, and zeros
        for a pooled descriptor.

        Args:
          describer: of one network, with position features.
          tested: the images.
          variant: of the images.
          split: `"query"` or `"gallery"`.
          seed: chooses the random backgrounds.
          advance: called with a number of images.

        Raises:
          DataError: if a record is damaged.
          TrainingError: if a feature is not finite.
        """
        records = tested.records[split]
        columns = tested.folder.store(split).columns(_COLUMNS)
        person, camera, key = (columns[name][records] for name in _COLUMNS)
        kept = (person != JUNK_PERSON_ID) | (split == "query")
        path = self._folder / variant / split
        if path.exists():
            advance(len(records))
        else:
            path.parent.mkdir(exist_ok=True)
            with position_writer(path, self._dtype) as writer:
                keeper = _Keeper(writer, split == "query")
                describer.describe(
                    tested.folder, split, variant, seed, advance, records, keeper.keep
                )
        positions = PositionFeatures.open(path)
        features = np.zeros((len(kept), positions.pooled.shape[1]), np.float32)
        features[kept] = positions.pooled
        keys = np.array([name.decode() for name in key])
        return Descriptors(features, Identities(person, camera), keys, True, positions)


def open_stores(
    folder: Path,
    weights: str,
    sets: Sequence[EvaluationSet],
    measurement: Measurement,
    network: Network,
) -> tuple[list[PositionStore], int]:
    """Opens a store for each data set, if the disk has space for what they will hold.

    The folder is locked for as long as the stores are referred to.

    Args:
      folder: which is to hold them; what an earlier audit left there counts as space.
      weights: changes with the model's weights.
      sets: the images.
      measurement: how they are measured, with its variants.
      network: gives the position features.

    Returns:
      The stores, and the bytes of the position features in all of them.

    Raises:
      UsageError: if there is not enough space, the folder is not this user's own, or another
        process evaluates into it.
    """
    dtype = measurement.position_storage
    images = sum(len(records) for tested in sets for records in tested.records.values())
    copies = len(measurement.variants) * (2 if measurement.reranking else 1)
    needed = (
        copies * images * math.prod(network.output_shapes["positions"]) * np.dtype(dtype).itemsize
    )
    require_space(
        folder,
        needed - bytes_of(folder.rglob("*")),
        "the position features",
        "measure fewer variants, keep them as position_storage=float16, or name another folder "
        "(out)",
    )
    private_folder(folder)
    made_from = {
        "weights": weights,
        "data": sets[0].folder.info.fingerprint,
        "image_size_px": network.image_size_px,
        "seed": measurement.seed,
    }
    with contextlib.ExitStack() as held:
        held.callback(os.close, _lock(folder))
        stores = [PositionStore(folder / tested.dataset, made_from, dtype) for tested in sets]
        weakref.finalize(stores[0], held.pop_all().close)
    return stores, needed


def _lock(folder: Path) -> int:
    try:
        return lock_folder(folder)
    except BlockingIOError:
        raise UsageError(
            f"another process evaluates into {folder} now: wait for it, stop it, or name another "
            "folder (out)"
        ) from None


class _Keeper:
    """Writes the position features of each batch."""

    def __init__(self, writer: PositionWriter, junk: bool):
        self._writer, self._junk = writer, junk

    def keep(self, batch: Outputs, outputs: Outputs) -> None:
        positions, weights = outputs["positions"], outputs["foreground"]
        finite = np.isfinite(positions).all(axis=(1, 2)) & np.isfinite(weights).all(axis=1)
        if not finite.all():
            raise TrainingError(
                f"the model's position features of {batch['key'][~finite][0].decode()} are not "
                "finite: the weights are not usable"
            )
        kept = (batch["person_id"] != JUNK_PERSON_ID) | self._junk
        parts = (values[kept] for values in (positions, weights, outputs["embedding"]))
        if kept.any():
            self._writer.append(PositionFeatures.from_arrays(*parts))
