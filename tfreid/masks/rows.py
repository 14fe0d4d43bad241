"""Masks of a data set's images as they lie on the disk."""

from collections.abc import Iterator, Sequence

from tfreid.datasets import ParsingRow, Row
from tfreid.records.images import RejectedError, read_image
from tfreid.records.mask_maker import Mask, MaskMaker


def masks_of_rows(
    maker: MaskMaker, rows: Sequence[Row | ParsingRow], batch_size: int = 64
) -> Iterator[Mask]:
    """Makes masks of images.

    Args:
      maker: makes the masks.
      rows: of one data set or several; each is read as conversion reads it.
      batch_size: images in a batch; no mask depends on it.

    Yields:
      For each row the class indices, uint8 `[height, width]` of the image's size; what is wrong
      with the image; or why the maker is not confident.
    """
    for start in range(0, len(rows), batch_size):
        images = [_read(row) for row in rows[start : start + batch_size]]
        masks = iter(maker([image for image in images if isinstance(image, bytes)]))
        yield from (next(masks) if isinstance(image, bytes) else image for image in images)


def _read(row: Row | ParsingRow) -> bytes | RejectedError:
    try:
        return read_image(row.image_path, row.image_part)[0]
    except RejectedError as error:
        return error
