"""Attaching mask files to rows: a folder of masks mirrors the folder of images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tfreid.datasets.row import Row
from tfreid.errors import MissingPathError


def attach_masks(rows: Sequence[Row], masks_root: Path) -> list[Row]:
    """Adds to each row the mask at its image's relative path, with the extension `.png`.

    Args:
        rows: Rows of one data set; the relative path is what follows its name in the key.
        masks_root: Folder that mirrors the data set's folder.

    Returns:
        The rows in their order; `mask_path` is `None` where there is no such file.

    Raises:
        MissingPathError: The folder is not there, or holds no mask for any row.
    """
    if not masks_root.is_dir():
        raise MissingPathError(f"no folder of masks at {masks_root}")
    masked = [_attach(row, masks_root) for row in rows]
    if rows and all(row.mask_path is None for row in masked):
        raise MissingPathError(
            f"no mask for any of {len(rows):,} images in {masks_root}: it must mirror the images' "
            f"relative paths, so that the mask of {rows[0].image_path} "
            f"is {_mask_path(rows[0], masks_root)}"
        )
    return masked


def _attach(row: Row, masks_root: Path) -> Row:
    path = _mask_path(row, masks_root)
    return replace(row, mask_path=str(path) if path.is_file() else None)


def _mask_path(row: Row, masks_root: Path) -> Path:
    relative = row.key.partition("/")[2]
    return masks_root / f"{relative}.png"
