"""Masks of a data set's images as they lie on the disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tfreid.datasets import ParsingRow, Row
from tfreid.datasets.files import MAX_IMAGE_MPX
from tfreid.files import bytes_of, require_space
from tfreid.records.images import RejectedError, read_image
from tfreid.records.mask_maker import Mask, MaskMaker


def masks_of_rows(
    maker: MaskMaker,
    rows: Sequence[Row | ParsingRow],
    batch_size: int = 64,
    max_image_mpx: float = MAX_IMAGE_MPX,
) -> Iterator[Mask]:
    """Makes masks of images.

    Args:
      maker: makes the masks.
      rows: of one data set or several; each is read as conversion reads it.
      batch_size: images in a batch; no mask depends on it.
      max_image_mpx: megapixels of the largest image.

    Yields:
      For each row the class indices, uint8 `[height, width]` of the image's size; what is wrong
      with the image; or why the maker is not confident.
    """
    for start in range(0, len(rows), batch_size):
        images = [_read(row, max_image_mpx) for row in rows[start : start + batch_size]]
        masks = iter(maker([image for image in images if isinstance(image, bytes)]))
        yield from (next(masks) if isinstance(image, bytes) else image for image in images)


def require_room(rows: Sequence[Row | ParsingRow], folder: Path) -> None:
    """Raises a UsageError if the disk of a folder has no room for the masks of images."""
    # A mask has few classes in large areas: it takes less than its image.
    require_space(folder, bytes_of({row.image_path for row in rows}), "the masks")


def _read(row: Row | ParsingRow, max_image_mpx: float) -> bytes | RejectedError:
    try:
        return read_image(row.image_path, row.image_part, max_image_mpx)[0]
    except RejectedError as error:
        return error
