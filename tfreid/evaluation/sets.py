"""What a model is measured on: the query and gallery images of one data set, and its protocol.

A joint set holds the images of several data sets. The papers that train on one test each data set
by itself, with its own gallery and protocol; so does this project, and mixes no figures.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tfreid.datasets import NO_CAMERA_ID, PROTOCOLS, Protocol
from tfreid.errors import DataError
from tfreid.inputs import InputSpec, evaluation_batches
from tfreid.records import Records
from tfreid.records.info import SourceInfo
from tfreid.retrieval import Identities
from tfreid.retrieval.identities import PersonIndex

SPLITS = ("query", "gallery")
_IDENTITY = ("person/id", "camera/id", "image/key")
_USUAL, _WITHOUT_CAMERAS = "market", "no_camera"


@dataclass(frozen=True)
class EvaluationSet:
    """The query and gallery images of one data set.

    Attributes:
      folder: the converted folder, which may hold other data sets besides.
      dataset: name of the data set.
      records: split -> `[n]` int64, which of the split's records are the data set's.
      protocol: how its queries are compared with its gallery.
      reason: why that protocol, in words.
    """

    folder: Records
    dataset: str
    records: dict[str, np.ndarray]
    protocol: Protocol
    reason: str

    @property
    def source(self) -> SourceInfo | None:
        """What the folder says about the data set; None where it was converted without that."""
        return self.folder.info.sources.get(self.dataset)

    @cached_property
    def masked(self) -> dict[str, np.ndarray]:
        """Split -> `[m]` int64, the places among the data set's images of those with a mask."""
        return {
            split: np.flatnonzero(self.folder.masked(split)[records])
            for split, records in self.records.items()
        }

    @property
    def is_partly_masked(self) -> bool:
        """Whether some images have masks and others have none."""
        counts = [(len(self.masked[split]), len(found)) for split, found in self.records.items()]
        return any(found for found, _ in counts) and any(found < all_ for found, all_ in counts)

    def measured(self, split: str, variant: str) -> np.ndarray:
        """Returns which records of a split a variant can be made of; int64 `[n]`."""
        records = self.records[split]
        return records if variant == "original" else records[self.masked[split]]

    @property
    def has_masked_match(self) -> bool:
        """Whether any query with a mask has a match among the gallery images with masks."""
        query, gallery = (self.identities(split)[0][self.masked[split]] for split in SPLITS)
        index = PersonIndex(gallery, self.protocol.camera_filter)
        asked = zip(query.person.tolist(), query.camera.tolist(), strict=True)
        return any(index.find(*one)[1].any() for one in asked)

    def identities(self, split: str) -> tuple[Identities, np.ndarray]:
        """Returns who is on all images of a split, and the images' keys, `[n]` strings."""
        columns = self.folder.store(split).columns(_IDENTITY)
        person, camera, keys = (columns[name][self.records[split]] for name in _IDENTITY)
        return Identities(person, camera), np.array([key.decode() for key in keys])

    def person(self, person_id: int) -> str:
        """Returns the name of a person, or the ID where the data set has no names."""
        names = self.source.person_names if self.source else {}
        return names.get(int(person_id), str(person_id))

    def camera(self, camera_id: int) -> str:
        """Returns the name of a camera, or the ID where the data set has no names."""
        names = self.source.camera_names if self.source else {}
        return names.get(int(camera_id), str(camera_id))

    def images(
        self, split: str, variant: str, chosen: np.ndarray, size_px: tuple[int, int], seed: int
    ) -> np.ndarray:
        """Returns some images as a model sees them.

        Args:
          split: `"query"` or `"gallery"`.
          variant: of the images.
          chosen: int `[n]`: their places among the data set's.
          size_px: height, width.
          seed: chooses the random backgrounds.

        Returns:
          `[n, *size_px, 3]` uint8.
        """
        spec = InputSpec(image_size_px=size_px, variant=variant)
        records = self.records[split][chosen]
        batches = evaluation_batches(self.folder, split, spec, 64, seed, records)
        pixels = [batch["image"] for batch in batches.as_numpy_iterator()]
        return np.clip(np.rint(np.concatenate(pixels)), 0, 255).astype(np.uint8)


def evaluation_sets(folder: Records, protocol: str | None = None) -> list[EvaluationSet]:
    """Finds the data sets of a folder that have queries.

    Args:
      folder: a converted re-identification data set with splits `query` and `gallery`.
      protocol: name of the protocol to use; unless given, each data set's own, `no_camera` where
        no camera is known, or else `market`.

    Returns:
      One a data set, in the order of the conversion.

    Raises:
      UsageError: if a split is missing.
      DataError: if one is empty or damaged, or a data set has queries and no gallery.
    """
    stores = {split: folder.store(split) for split in SPLITS}
    names = list(folder.info.person_labels)
    if len(names) == 1:
        records = {split: np.arange(len(store)) for split, store in stores.items()}
        has_cameras = any(folder.info.splits[split].cameras for split in SPLITS)
        return [_evaluation_set(folder, names[0], records, has_cameras, protocol)]
    columns = {
        split: store.columns(("dataset/name", "camera/id")) for split, store in stores.items()
    }
    sets = []
    for name in names:
        records = {
            split: np.flatnonzero(column["dataset/name"] == name.encode())
            for split, column in columns.items()
        }
        has_cameras = any(
            np.any(columns[split]["camera/id"][indices] != NO_CAMERA_ID)
            for split, indices in records.items()
        )
        if len(records["query"]):
            sets.append(_evaluation_set(folder, name, records, has_cameras, protocol))
    return sets


def _evaluation_set(
    folder: Records,
    dataset: str,
    records: dict[str, np.ndarray],
    has_cameras: bool,
    asked: str | None,
) -> EvaluationSet:
    if not len(records["gallery"]):
        raise DataError(
            f"{folder.path} holds queries of {dataset} and no gallery images of it: "
            "re-run the conversion"
        )
    source = folder.info.sources.get(dataset)
    name, reason = _choose(asked, source.protocol if source else None, has_cameras)
    return EvaluationSet(folder, dataset, records, PROTOCOLS[name], reason)


def _choose(asked: str | None, own: str | None, has_cameras: bool) -> tuple[str, str]:
    """Returns the name of the protocol and why it is that one."""
    if asked:
        other = f"; the data set's own is {own}" if own not in (None, asked) else ""
        return asked, f"asked for{other}"
    if not has_cameras and (own is None or PROTOCOLS[own].camera_filter):
        return _WITHOUT_CAMERAS, "no cameras are known"
    return (own, "the data set's own") if own else (_USUAL, "the folder names no protocol")
