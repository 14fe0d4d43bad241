"""Features of images position by position, of images that differ in their number of positions."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tfreid.errors import DataError, MissingPathError
from tfreid.files import completed_folder
from tfreid.retrieval.memory import give_back

_SLAB_ROWS = 4096
_NAMES = ("positions", "weights", "starts", "pooled")


@dataclass(frozen=True)
class PositionFeatures:
    """What matching by reconstruction compares: each image is several positions.

    Attributes:
      positions: `[total, d]` float32 or float16, the positions of the first image, then those of
        the second, and so on; an array or a memory-mapped file.
      weights: `[total]` float32, not negative: what each position counts as one of a probe; those
        of an image sum to 1.
      starts: `[n + 1]` int64; image i has the rows `starts[i]:starts[i + 1]`, at least one.
      pooled: `[n, d']` float32, one descriptor an image; an array or a memory-mapped file.
    """

    positions: np.ndarray
    weights: np.ndarray
    starts: np.ndarray
    pooled: np.ndarray

    def __post_init__(self):
        """Refuses parts that do not belong together."""
        total, images = len(self.positions), len(self.starts) - 1
        if self.positions.ndim != 2 or self.positions.dtype not in (np.float32, np.float16):
            raise ValueError(
                f"positions are {self.positions.dtype} of shape {self.positions.shape}; expected "
                "float32 or float16 [total, d]"
            )
        if self.weights.shape != (total,) or self.pooled.ndim != 2 or len(self.pooled) != images:
            raise ValueError(
                f"weights have shape {self.weights.shape} and pooled descriptors "
                f"{self.pooled.shape}; expected [{total}] and [{images}, d]"
            )
        if self.starts[0] != 0 or self.starts[-1] != total or (np.diff(self.starts) < 1).any():
            raise ValueError(
                f"starts lead from {self.starts[0]} to {self.starts[-1]}; expected ascending "
                f"integers from 0 to {total}, the number of positions, at least one an image"
            )

    @classmethod
    def from_arrays(
        cls, positions: np.ndarray, weights: np.ndarray, pooled: np.ndarray
    ) -> "PositionFeatures":
        """Takes images that all have N positions, such as a model's outputs of a batch.

        Args:
          positions: `[n, N, d]` floats; float16 stays as it is, others become float32.
          weights: `[n, N]` floats.
          pooled: `[n, d']` floats.

        Raises:
          ValueError: if the shapes disagree.
        """
        images, count, size = positions.shape
        if weights.shape != (images, count):
            raise ValueError(f"weights have shape {weights.shape}; expected {(images, count)}")
        dtype = np.float16 if positions.dtype == np.float16 else np.float32
        return cls(
            np.asarray(positions, dtype).reshape(images * count, size),
            np.asarray(weights, np.float32).ravel(),
            np.arange(images + 1, dtype=np.int64) * count,
            np.asarray(pooled, np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence["PositionFeatures"]) -> "PositionFeatures":
        """Returns the images of all parts, one part after the other, in memory."""
        counts = np.concatenate([part.counts for part in parts])
        return cls(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.weights for part in parts]),
            _starts(counts),
            np.concatenate([part.pooled for part in parts]),
        )

    @classmethod
    def open(cls, folder: str | Path) -> "PositionFeatures":
        """Opens what `save` or a `PositionWriter` wrote; positions and descriptors stay on disk.

        Raises:
          MissingPathError: if there is nothing complete under this name.
          DataError: if what is there is damaged.
        """
        folder = Path(folder)
        paths = {name: folder / f"{name}.npy" for name in _NAMES}
        if not all(path.is_file() for path in paths.values()):
            raise MissingPathError(f"no position features in {folder}: expected {list(_NAMES)}.npy")
        try:
            modes = {"positions": "r", "pooled": "r"}
            loaded = {
                name: np.load(path, mmap_mode=modes.get(name), allow_pickle=False)
                for name, path in paths.items()
            }
            return cls(**loaded)
        except ValueError as error:
            raise DataError(f"the position features in {folder} are damaged: {error}") from error

    def save(self, folder: str | Path) -> None:
        """Writes the features to a folder, which appears when it is complete.

        Raises:
          UsageError: if the folder is taken.
        """
        with position_writer(folder, self.positions.dtype) as writer:
            writer.append(self)

    @property
    def counts(self) -> np.ndarray:
        """The number of positions of each image, `[n]` int64."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self.starts) - 1

    def __getitem__(self, chosen: np.ndarray | slice) -> "PositionFeatures":
        """Returns some images, by their indices, a mask or a slice.

        Those of images that follow each other are not copied, those of others are, to memory.
        """
        images = np.arange(len(self))[chosen]
        if (np.diff(images) == 1).all():
            first, last = (images[0], images[-1] + 1) if len(images) else (0, 0)
            rows, pooled = slice(*self.starts[[first, last]]), slice(first, last)
        else:
            spans = [np.arange(*self.starts[image : image + 2]) for image in images]
            rows, pooled = np.concatenate(spans), images
        starts = _starts(self.counts[images])
        return PositionFeatures(
            self.positions[rows], self.weights[rows], starts, self.pooled[pooled]
        )


@contextlib.contextmanager
def position_writer(
    folder: str | Path, dtype: np.dtype | type = np.float32
) -> Iterator["PositionWriter"]:
    """Writes position features batch by batch, without holding them.

    Args:
      folder: appears when the writer is left without an error, and not at all otherwise; for
        `PositionFeatures.open`.
      dtype: of the positions on the disk, float32 or float16.

    Yields:
      The writer.

    Raises:
      UsageError: if the folder is taken.
    """
    with completed_folder(Path(folder)) as partial, contextlib.ExitStack() as files:
        writer = PositionWriter(partial, np.dtype(dtype), files)
        yield writer
        writer.finish()


class PositionWriter:
    """Appends images to files of a folder; `position_writer` makes it."""

    def __init__(self, folder: Path, dtype: np.dtype, files: contextlib.ExitStack):
        """Prepares the files, which `files` will close."""

        def array(name: str, dtype: type | np.dtype) -> "_GrowingArray":
            file = files.enter_context((folder / f"{name}.npy").open("wb"))
            return _GrowingArray(file, np.dtype(dtype))

        self._positions = array("positions", dtype)
        self._weights, self._pooled = array("weights", np.float32), array("pooled", np.float32)
        self._starts = array("starts", np.int64)
        self._starts.append(np.zeros(1))

    def append(self, images: PositionFeatures) -> None:
        """Writes more images; of those in mapped files no more than a little is held."""
        self._starts.append(self._positions.length + images.starts[1:])
        self._positions.append(images.positions)
        self._weights.append(images.weights)
        self._pooled.append(images.pooled)

    def finish(self) -> None:
        """Completes the files."""
        for array in (self._positions, self._weights, self._starts, self._pooled):
            array.finish()


class _GrowingArray:
    """A `.npy` file that grows by rows; the space in its header is enough for any length."""

    def __init__(self, file: BinaryIO, dtype: np.dtype):
        self._file, self._dtype = file, dtype
        self._row: tuple[int, ...] | None = None
        self.length = 0

    def append(self, rows: np.ndarray) -> None:
        if self._row is None:
            self._row = rows.shape[1:]
            self._write_header()
        if rows.shape[1:] != self._row:
            raise ValueError(
                f"features have shape {rows.shape[1:]}; expected {self._row} as before"
            )
        for start in range(0, len(rows), _SLAB_ROWS):
            slab = rows[start : start + _SLAB_ROWS]
            np.ascontiguousarray(slab, self._dtype).tofile(self._file)
            give_back(slab)
        self.length += len(rows)

    def finish(self) -> None:
        if self._row is None:
            raise ValueError("no images were written")
        self._file.flush()
        self._file.seek(0)
        self._write_header()

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.length, *self._row),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
