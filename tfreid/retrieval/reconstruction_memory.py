"""How matching by reconstruction is divided so that it stays inside its memory budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfreid.errors import UsageError
from tfreid.retrieval.memory import available_bytes, mapped_file
from tfreid.retrieval.positions import PositionFeatures
from tfreid.retrieval.reconstruction_pairs import Pairs
from tfreid.retrieval.reconstruction_products import TILE_POSITIONS, tiles

_LIBRARY_BYTES = 2**24
"""What a BLAS library, and the system's memory allocator, hold for each thread."""


@dataclass(frozen=True)
class MemoryPlan:
    """How the gallery is divided.

    Attributes:
      blocks: stretches of gallery images whose factors are held together.
      positions: of the largest of them.
      bytes: estimate of what is held at the peak, features in memory included.
    """

    blocks: list[slice]
    positions: int
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
      threads: that compute at the same time.
      in_folder: whether finished distances go to files.

    Raises:
      UsageError: if the budget does not hold one tile of the gallery, or the machine does not have
        what would be held.
    """
    resident = sum(_resident_bytes(images) for images in (query, gallery))
    held = resident + pairs.held_bytes
    if not in_folder:
        held += pairs.part_bytes(slice(0, len(gallery)))
    working = _working_bytes(query, gallery, threads)

    def block_bytes(images: slice) -> int:
        factors = 4 * gallery.positions.shape[1] * _positions(gallery, images)
        return working + factors + (pairs.part_bytes(images) if in_folder else 0)

    stretches = [tile for gap in missing for tile in _tiles(gallery, gap)]
    least = held + max(pairs.working_bytes, *map(block_bytes, stretches), 0)
    if least > budget_bytes:
        raise UsageError(
            f"a memory_budget_gib of {budget_bytes / 2**30:.2f} is too small: "
            f"{resident / 2**30:.2f} GiB of features are in memory, and matching "
            f"{len(query):,} queries with even a few of {len(gallery):,} gallery images takes "
            f"{least / 2**30:.2f} GiB with them: allow at least that, or keep the features in files"
        )
    blocks: list[slice] = []
    for tile in stretches:
        joined = slice(blocks[-1].start, tile.stop) if blocks else tile
        follows = bool(blocks) and blocks[-1].stop == tile.start
        if follows and held + block_bytes(joined) <= budget_bytes:
            blocks[-1] = joined
        else:
            blocks.append(tile)
    needed = held + max(pairs.working_bytes, *map(block_bytes, blocks), 0)
    _require_machine(needed, resident)
    return MemoryPlan(
        blocks, max((_positions(gallery, each) for each in blocks), default=0), needed
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


def _working_bytes(query: PositionFeatures, gallery: PositionFeatures, threads: int) -> int:
    """What threads hold while they compute; see `reconstruction_products`."""
    size = gallery.positions.shape[1]
    largest = int(gallery.counts.max(initial=0))
    rows, columns = (
        max(min(TILE_POSITIONS, len(images.positions)), int(images.counts.max(initial=0)))
        for images in (query, gallery)
    )
    images = max((tile.stop - tile.start for tile in tiles(gallery.counts)), default=0)
    factor = 8 * (2 * largest * size + 6 * largest**2)
    corrected = rows * (12 * size + 8 * largest)
    product = 4 * rows * columns + 40 * rows * images
    probes = rows * (8 * size + 64)
    return probes + threads * (_LIBRARY_BYTES + product + factor + corrected)


def _positions(images: PositionFeatures, stretch: slice) -> int:
    return int(images.starts[stretch.stop] - images.starts[stretch.start])


def _tiles(images: PositionFeatures, stretch: slice) -> list[slice]:
    found = tiles(images.counts[stretch])
    return [slice(stretch.start + tile.start, stretch.start + tile.stop) for tile in found]
