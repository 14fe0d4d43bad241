"""Comparing images by reconstruction (FPR): the nearest by descriptor are ranked by positions."""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import psycopg

from tfreid.errors import UsageError
from tfreid.gallery.answers import Match
from tfreid.gallery.copying import copy_rows, number
from tfreid.retrieval.reconstruction import (
    PositionFeatures,
    ReconstructionMatching,
    reconstruction_blocks,
)

if TYPE_CHECKING:
    from tfreid.gallery.describing import ImageDescriber

SHORTLIST = ReconstructionMatching().shortlist_size
"""Images, nearest by descriptor, that are reconstructed."""

Rows = Sequence[tuple[int, bytes, bytes]]
"""Number of an image, its positions and their weights, as they are stored."""


def require_same_matching(gallery: str, stored: float | None, given: float | None) -> None:
    """Makes sure that a gallery has the positions that its model compares, if it does.

    Args:
      gallery: what errors call it.
      stored: beta of the reconstruction in the gallery; None where images have no positions.
      given: the same of the model.

    Raises:
      UsageError: if one has positions and the other has not, or beta is another.
    """
    if stored is None and given is not None:
        raise UsageError(
            f"{gallery} has no positions, by which this model's images are compared: it was made "
            "by an earlier release, or with the model in a format that gives none. Describe the "
            "images anew with python -m tfreid.gallery rebuild, or make another gallery"
        )
    if stored is not None and given is None:
        raise UsageError(
            f"{gallery} is searched by positions, which the model does not give in this format: "
            "give the run or the export itself (model)"
        )
    if stored is not None and not np.isclose(stored, given):
        raise UsageError(
            f"{gallery} is searched with beta={stored:g}, and the model says beta={given:g}: give "
            "the model of before, or describe the images anew with python -m tfreid.gallery rebuild"
        )


def described(
    describer: "ImageDescriber", files: Sequence[bytes], names: Sequence[str]
) -> tuple[np.ndarray, PositionFeatures | None]:
    """Returns the descriptors of image files, and positions where the model is matched by them.

    Args:
      describer: of the model.
      files: images.
      names: what errors call them.

    Raises:
      RefusedImagesError, DataError: as `ImageDescriber.describe`.
    """
    if describer.beta is None:
        return describer.describe(files, names), None
    found = describer.describe_positions(files, names)
    return found.pooled, found


def store_positions(cursor: psycopg.Cursor, images: Sequence[int], found: PositionFeatures) -> None:
    """Stores the positions of images, in half precision, in the transaction that is open."""
    rows = (
        (
            number(image),
            found.positions[start:stop].astype("<f2").tobytes(),
            found.weights[start:stop].astype("<f4").tobytes(),
        )
        for image, (start, stop) in zip(images, pairwise(found.starts), strict=True)
    )
    copy_rows(cursor, "positions (image, positions, foreground)", rows)


def stored_positions(connection: psycopg.Connection, images: Sequence[int]) -> Rows:
    """Returns what is stored of images, in the order of their numbers; nothing of those gone."""
    cursor = connection.cursor(binary=True)
    return cursor.execute(
        "SELECT image, positions, foreground FROM positions WHERE image = ANY(%s) ORDER BY image",
        [list(images)],
    ).fetchall()


def features_of(rows: Rows) -> PositionFeatures:
    """Returns what was stored; descriptors, which are no matter here, are left out."""
    weights = [np.frombuffer(row[2], "<f4") for row in rows]
    counts = [len(one) for one in weights]
    positions = [
        np.frombuffer(row[1], "<f2").reshape(count, -1)
        for row, count in zip(rows, counts, strict=True)
    ]
    starts = np.append(0, np.cumsum(counts))
    pooled = np.zeros((len(rows), 0), np.float32)
    return PositionFeatures(np.concatenate(positions), np.concatenate(weights), starts, pooled)


def reconstruct(query: PositionFeatures, stored: PositionFeatures, beta: float) -> np.ndarray:
    """Returns the reconstruction distances of pictures from stored images, `[pictures, images]`."""
    query = dataclasses.replace(query, pooled=np.zeros((len(query), 0), np.float32))
    blocks = reconstruction_blocks(query, stored, ReconstructionMatching(beta=beta))
    return np.concatenate(list(blocks))


def ranked(
    shortlist: Sequence[Match], rows: Rows, query: PositionFeatures, beta: float
) -> list[Match]:
    """Ranks a shortlist by reconstruction.

    Args:
      shortlist: the nearest images by descriptor.
      rows: their positions.
      query: the pictures that are searched for; of several, the mean of their distances counts.
      beta: of the reconstruction.

    Returns:
      The images with these distances, the nearest first; without those that are gone meanwhile.
    """
    if not rows:
        return []
    distances = reconstruct(query, features_of(rows), beta).mean(axis=0, dtype=np.float64)
    found = dict(zip((row[0] for row in rows), distances.tolist(), strict=True))
    there = [match for match in shortlist if match.image in found]
    matches = [dataclasses.replace(match, distance=found[match.image]) for match in there]
    return sorted(matches, key=lambda match: (match.distance, match.image))
