"""Distances of stretches of gallery images, kept in memory or, to go on from, in a folder."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfreid.files import completed_file
from tfreid.retrieval.memory import give_back
from tfreid.retrieval.reconstruction.matching import ReconstructionMatching
from tfreid.retrieval.reconstruction.positions import PositionFeatures
from tfreid.retrieval.reconstruction.products import TILE_POSITIONS

_SLAB_BYTES = 2**24


def fingerprint(
    query: PositionFeatures, gallery: PositionFeatures, matching: ReconstructionMatching
) -> str:
    """Returns a name for all that the distances of pairs depend on.

    Args:
      query: the queries.
      gallery: the gallery images.
      matching: how they are matched; the weight of a blend comes later and does not matter.
    """
    digest = hashlib.blake2b(digest_size=12)
    shortlist = None if matching.mode == "exact" else matching.shortlist_size
    digest.update(repr((TILE_POSITIONS, matching.beta, shortlist)).encode())
    for images in (query, gallery):
        pooled = [] if shortlist is None else [images.pooled]
        for array in (images.positions, images.weights, images.starts, *pooled):
            digest.update(f"{array.dtype} {array.shape}".encode())
            for slab in _slabs(array):
                digest.update(np.ascontiguousarray(slab))
                give_back(slab)
    return digest.hexdigest()


def _slabs(array: np.ndarray) -> Iterator[np.ndarray]:
    rows = max(_SLAB_BYTES // (array.nbytes // max(len(array), 1) or 1), 1)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


class Parts:
    """The distances of stretches of gallery images that are finished.

    In a folder each is a file, `<fingerprint>-<first image>-<last image + 1>.npy`, that appears
    when it is complete. Files of other features or parameters have other names.
    """

    def __init__(self, folder: Path | None, name: str = ""):
        """Takes the folder, None for the memory, and the fingerprint of what is matched."""
        self._folder, self._name = folder, name
        self._held: dict[tuple[int, int], np.ndarray] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def in_folder(self) -> bool:
        """Whether what is finished goes to files."""
        return self._folder is not None

    def add(self, images: slice, part: np.ndarray) -> None:
        """Keeps the distances of a stretch."""
        if self._folder is None:
            self._held[images.start, images.stop] = part
            return
        with (
            completed_file(self._path(images.start, images.stop)) as partial,
            partial.open("wb") as file,
        ):
            np.save(file, part)
            file.flush()
            os.fsync(file.fileno())

    def missing(self, images: slice) -> list[slice]:
        """Returns the stretches of gallery images that are not finished, among some images."""
        gaps, start = [], images.start
        for first, last in self._finished():
            if start < first < images.stop:
                gaps.append(slice(start, first))
            if first < images.stop:
                start = max(start, last)
        if start < images.stop:
            gaps.append(slice(start, images.stop))
        return gaps

    def all(self) -> list[np.ndarray]:
        """Returns the distances of all stretches, in the order of the gallery."""
        if self._folder is None:
            return [self._held[stretch] for stretch in self._finished()]
        paths = [self._path(*stretch) for stretch in self._finished()]
        return [np.load(path, mmap_mode="r", allow_pickle=False) for path in paths]

    def _finished(self) -> list[tuple[int, int]]:
        """Returns stretches that do not overlap; another run may have left others."""
        there = list(self._held)
        if self._folder is not None:
            names = [path.stem.split("-") for path in self._folder.glob(f"{self._name}-*-*.npy")]
            there = [(int(first), int(last)) for _, first, last in names]
        chosen: list[tuple[int, int]] = []
        for first, last in sorted(there):
            if not chosen or first >= chosen[-1][1]:
                chosen.append((first, last))
        return chosen

    def _path(self, first: int, last: int) -> Path:
        return self._folder / f"{self._name}-{first}-{last}.npy"
