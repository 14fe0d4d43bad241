"""Distances between described images, by cosine or by reconstruction."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from tfreid.datasets import JUNK_PERSON_ID
from tfreid.report.descriptors import Descriptors
from tfreid.retrieval import (
    CosineDistances,
    Distances,
    ReconstructionDistances,
    ReconstructionMatching,
    cosine_blocks,
    reconstruction_blocks,
)

Announce = Callable[[float], None]
"""Is told how much of a computation is done, a fraction."""


def not_junk(gallery: Descriptors) -> np.ndarray:
    """Returns which gallery images a protocol ranks, `[n]` bool; only these are compared."""
    return gallery.identities.person != JUNK_PERSON_ID


def plain_blocks(
    query: Descriptors,
    gallery: Descriptors,
    matching: ReconstructionMatching | None,
    folder: Path | None,
    announce: Announce,
) -> Iterator[np.ndarray]:
    """Compares every query with the gallery.

    Args:
      query: descriptors of the queries.
      gallery: descriptors of the gallery images.
      matching: compares position features; None compares descriptors by cosine.
      folder: where reconstruction distances are kept, from which a stopped computation goes on.
      announce: told of the progress of a reconstruction.

    Yields:
      `[block, gallery]` floats as `tfreid.retrieval.evaluate` takes them.
    """
    if matching is None:
        yield from cosine_blocks(query.features, gallery.features)
        return
    blocks = reconstruction_blocks(
        query.positions, gallery.positions, matching, folder=folder, announce=announce
    )
    yield from with_junk(blocks, not_junk(gallery))


def all_distances(
    query: Descriptors,
    gallery: Descriptors,
    matching: ReconstructionMatching | None,
    folder: Path | None,
    announce: Announce,
) -> Distances:
    """Returns the distances among queries and gallery together, without junk.

    Args:
      query: descriptors of the queries.
      gallery: descriptors of the gallery images.
      matching: compares position features; None compares descriptors by cosine.
      folder: where reconstruction distances are kept.
      announce: told of the progress of a reconstruction.
    """
    if matching is None:
        return CosineDistances(query.features, gallery.features[not_junk(gallery)])
    return ReconstructionDistances(
        query.positions, gallery.positions, matching, folder=folder, announce=announce
    )


def with_junk(blocks: Iterable[np.ndarray], valid: np.ndarray) -> Iterator[np.ndarray]:
    """Puts junk at an infinite distance into blocks `[block, images that are not junk]`."""
    for block in blocks:
        whole = np.full((len(block), len(valid)), np.inf, block.dtype)
        whole[:, valid] = block
        yield whole
