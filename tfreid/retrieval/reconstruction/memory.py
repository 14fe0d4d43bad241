"""How matching by reconstruction is divided so that it stays inside its memory budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tfreid.errors import UsageError
from tfreid.retrieval.memory import available_bytes, mapped_file
from tfreid.retrieval.reconstruction.pairs import Pairs
from tfreid.retrieval.reconstruction.positions import PositionFeatures
from tfreid.retrieval.reconstruction.products import (
    CORRECTED_POSITIONS,
    TILE_POSITIONS,
    tiles,
)

_LIBRARY_BYTES = 2**24
"""What a BLAS library, and the system's memory allocator, hold for each thread."""


@dataclass(frozen=True)
class MemoryPlan:
    """How the gallery is divided.

    Attributes:
      blocks: stretches of gallery images whose factors are held together.
      positions: of the largest of them.
      threads: that compute at the same time; fewer than could where their memory would
        leave little for factors.
      bytes: estimate of what is held at the peak, features in memory included.
    """

    blocks: list[slice]
    positions: int
    threads: int
    bytes: int


def plan_memory(
    query: PositionFeatures,
    gallery: PositionFeatures,
    pairs: Pairs,
    missing: Sequence[slice],
    *,
    budget_bytes: int,
    threads: int,
    in_folder: bool,
) -> MemoryPlan:
    """Divides what is still to be matched.

    Args:
      query: the queries.
      gallery: the gallery images.
      pairs: which are compared.
      missing: stretches of gallery images whose distances are missing.
      budget_bytes: what may be held.
      threads: that could compute at the same time.
      in_folder: whether finished distances go to files.

    Raises:
      UsageError: if the budget does not hold one tile of the gallery, or the machine does not have
        what would be held.
    """
    resident = sum(_resident_bytes(images) for images in (query, gallery))
    held = resident + pairs.held_bytes
    if not in_folder:
        held += pairs.part_bytes(slice(0, len(gallery)))

    def block_bytes(images: slice) -> int:
        factors = 4 * gallery.positions.shape[1] * _positions(gallery, images)
        return factors + (pairs.part_bytes(images) if in_folder else 0)

    stretches = [tile for gap in missing for tile in _tiles(gallery, gap)]
    probes, by_thread = _working_bytes(query, gallery)
    largest = max(map(block_bytes, stretches), default=0)
    least = held + max(probes + by_thread + largest, pairs.working_bytes)
    _require_budget(least, budget_bytes, resident)
    spare = budget_bytes - held - probes - largest
    threads = min(threads, max(spare // 2 // by_thread, 1))
    working = probes + threads * by_thread
    blocks = _joined(stretches, lambda block: held + working + block_bytes(block) <= budget_bytes)
    needed = held + max(working + max(map(block_bytes, blocks), default=0), pairs.working_bytes)
    _require_machine(needed, resident)
    positions = max((_positions(gallery, block) for block in blocks), default=0)
    return MemoryPlan(blocks, positions, threads, needed)


def _joined(stretches: Sequence[slice], fits: Callable[[slice], bool]) -> list[slice]:
    """Joins stretches that follow each other to blocks as large as fit."""
    blocks: list[slice] = []
    for stretch in stretches:
        follows = bool(blocks) and blocks[-1].stop == stretch.start
        if follows and fits(joined := slice(blocks[-1].start, stretch.stop)):
            blocks[-1] = joined
        else:
            blocks.append(stretch)
    return blocks


def _require_budget(least: int, budget_bytes: int, resident: int) -> None:
    if least > budget_bytes:
        raise UsageError(
            f"a memory_budget_gib of {budget_bytes / 2**30:.2f} is too small: matching these "
            f"images takes at least {least / 2**30:.2f} GiB, of which {resident / 2**30:.2f} are "
            "features in memory: allow at least that, or keep features in files"
        )


def _require_machine(needed: int, resident: int) -> None:
    available = available_bytes()
    if needed - resident > available:
        raise UsageError(
            f"matching by reconstruction takes {(needed - resident) / 2**30:.2f} GiB of memory, "
            f"and {available / 2**30:.2f} GiB are available: free some, or choose a smaller "
            "memory_budget_gib"
        )


def _resident_bytes(images: PositionFeatures) -> int:
    arrays = images.positions, images.weights, images.starts, images.pooled
    return sum(array.nbytes for array in arrays if mapped_file(array) is None)


def _working_bytes(query: PositionFeatures, gallery: PositionFeatures) -> tuple[int, int]:
    """Returns what a tile of queries takes, and what each thread; `reconstruction_products`."""
    size = gallery.positions.shape[1]
    largest = int(gallery.counts.max(initial=0))
    rows, columns = (
        max(min(TILE_POSITIONS, len(images.positions)), int(images.counts.max(initial=0)))
        for images in (query, gallery)
    )
    images = max((tile.stop - tile.start for tile in tiles(gallery.counts)), default=0)
    factor = 8 * (2 * largest * size + 6 * largest**2)
    corrected = min(rows, CORRECTED_POSITIONS) * (12 * size + 8 * largest)
    product = 4 * rows * columns + 40 * rows * images
    return rows * (8 * size + 64), _LIBRARY_BYTES + product + factor + corrected


def _positions(images: PositionFeatures, stretch: slice) -> int:
    return int(images.starts[stretch.stop] - images.starts[stretch.start])


def _tiles(images: PositionFeatures, stretch: slice) -> list[slice]:
    found = tiles(images.counts[stretch])
    return [slice(stretch.start + tile.start, stretch.start + tile.stop) for tile in found]
