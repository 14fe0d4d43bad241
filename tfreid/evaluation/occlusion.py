"""Occlusion sensitivity: where covering a patch changes the descriptor most.

A patch of the data's mean colour is slid over some queries (Zeiler and Fergus, ECCV 2014, section
4.2, who watch the probability of a class; here it is the descriptor). It asks nothing of the model
but descriptors, and so tells of any model whether it sees the person or what is around.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfreid.evaluation.attention import PersonMeans, compare_with_person
from tfreid.evaluation.descriptors import Advance, embedder, no_progress
from tfreid.evaluation.sets import EvaluationSet
from tfreid.inputs import InputSpec, data_errors, evaluation_batches
from tfreid.nn.network import Network
from tfreid.retrieval import normalise

_CELLS_ACROSS = 8
_PATCH_CELLS = 2


@dataclass(frozen=True)
class Occlusion:
    """How much a model's descriptor changes when a part of the picture is covered.

    Attributes:
      images: `[n, height, width, 3]` uint8, the queries.
      maps: `[n, rows, columns]` float32: for each cell the mean cosine distance, to the descriptor
        of the whole picture, of those where the patch covers the cell.
      patch_px: height and width of the patch.
      means: the maps inside and outside of the person; None without masks, or where every mask is
        empty or full.
    """

    images: np.ndarray
    maps: np.ndarray
    patch_px: tuple[int, int]
    means: PersonMeans | None

    def metrics(self) -> dict[str, Any]:
        """Returns the figures for JSON; `inside`, `outside` and `auc` are None without masks."""
        means = self.means
        return {
            "inside": means and means.inside,
            "outside": means and means.outside,
            "auc": means and means.auc,
            "images": means.images if means else len(self.images),
            "patch_px": list(self.patch_px),
        }


def views(size_px: tuple[int, int]) -> int:
    """Returns how often a network sees each image: once whole, and once for each place."""
    return 1 + len(_corners(size_px)[0])


def occlude(
    network: Network,
    tested: EvaluationSet,
    queries: np.ndarray,
    batch_size: int,
    advance: Advance = no_progress,
) -> Occlusion:
    """Covers a patch of some queries after the other, and compares descriptors.

    Args:
      network: makes the descriptors.
      tested: the images.
      queries: int64 `[n]`, which records of the split `query`.
      batch_size: images in a batch.
      advance: called with the number of pictures that the network saw.

    Raises:
      DataError: if a record is damaged.
    """
    size_px, folder = network.image_size_px, tested.folder
    corners, cell_px = _corners(size_px)
    embed = embedder(network, batch_size)
    has_masks = folder.info.splits["query"].with_mask and _all_masked(tested, queries)
    spec = InputSpec(image_size_px=size_px, mask_vocabulary="binary" if has_masks else None)
    images, maps, masks = [], [], []
    with data_errors(folder):
        for batch in evaluation_batches(folder, "query", spec, 1, 0, queries):
            image = batch["image"].numpy()[0]
            covered = _covered(image, corners, np.float32(folder.info.mean_pixel))
            features = embed.apply(covered, advance)["embedding"]
            whole, *parts = normalise(features)
            changes = 1 - np.stack(parts) @ whole
            maps.append(_by_cell(changes, corners, cell_px, size_px))
            images.append(np.clip(np.rint(image), 0, 255).astype(np.uint8))
            masks.append(batch["mask"].numpy()[0] if has_masks else None)
    maps = np.stack(maps)
    means = compare_with_person(maps, np.stack(masks)) if has_masks else None
    patch_px = tuple(_PATCH_CELLS * side for side in cell_px)
    return Occlusion(np.stack(images), maps, patch_px, means)


def _all_masked(tested: EvaluationSet, queries: np.ndarray) -> bool:
    return bool(np.isin(queries, tested.measured("query", "masked")).all())


def _corners(size_px: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Top and left of each place of the patch, int `[places, 2]`, and the size of a cell."""
    side = max(1, round(size_px[1] / _CELLS_ACROSS))
    cell_px = min(side, size_px[0]), min(side, size_px[1])
    starts = [
        np.arange(0, max(length - _PATCH_CELLS * cell, 0) + cell, cell)
        for length, cell in zip(size_px, cell_px, strict=True)
    ]
    return np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, 2), cell_px


def _covered(image: np.ndarray, corners: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """The picture `[height, width, 3]`, then with the patch at each place; a copy for each."""
    side = _PATCH_CELLS * max(1, round(image.shape[1] / _CELLS_ACROSS))
    pictures = np.repeat(image[None], 1 + len(corners), axis=0)
    for picture, (top, left) in zip(pictures[1:], corners, strict=True):
        picture[top : top + side, left : left + side] = pixel
    return pictures


def _by_cell(
    changes: np.ndarray, corners: np.ndarray, cell_px: tuple[int, int], size_px: tuple[int, int]
) -> np.ndarray:
    """Averages `[places]` over those whose patch covers a cell; float32 `[rows, columns]`."""
    shape = [-(-length // cell) for length, cell in zip(size_px, cell_px, strict=True)]
    total, count = np.zeros(shape), np.zeros(shape)
    for change, (row, column) in zip(changes, corners // cell_px, strict=True):
        place = slice(row, row + _PATCH_CELLS), slice(column, column + _PATCH_CELLS)
        total[place] += change
        count[place] += 1
    return (total / np.maximum(count, 1)).astype(np.float32)
