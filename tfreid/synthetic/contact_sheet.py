"""A picture of many images beside their masks, to see at a glance what a data set holds."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from tfreid.datasets.files import open_image
from tfreid.datasets.row import Row

# One colour for each lip20 class: head warm, upper body blue and green, lower body violet.
_MASK_COLOURS = np.array(
    [
        (24, 24, 28), (255, 140, 0), (150, 90, 40), (200, 255, 120), (255, 255, 255),
        (60, 150, 230), (220, 60, 140), (30, 90, 170), (240, 240, 120), (120, 80, 200),
        (70, 200, 160), (255, 60, 60), (190, 120, 240), (255, 205, 160), (120, 220, 90),
        (60, 160, 60), (250, 160, 200), (220, 110, 160), (255, 230, 60), (200, 170, 20),
    ],
    np.uint8,
)  # fmt: skip
COLUMNS, ROWS = 8, 8
_GAP_PX = 4


def draw_contact_sheet(rows: Sequence[Row], seed: int = 0) -> Image.Image:
    """Puts 64 images of a data set and their masks into one picture, 8 by 8 pairs.

    Args:
        rows: Images of one size with lip20 masks.
        seed: Seed of the choice.

    Returns:
        The picture, RGB.
    """
    count = min(COLUMNS * ROWS, len(rows))
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    pairs = [_pair(rows[index]) for index in sorted(chosen)]
    height, width = pairs[0].shape[:2]
    size = COLUMNS * (width + _GAP_PX) + _GAP_PX, ROWS * (height + _GAP_PX) + _GAP_PX
    sheet = Image.new("RGB", size, (245, 245, 245))
    for i, pair in enumerate(pairs):
        row, column = divmod(i, COLUMNS)
        corner = _GAP_PX + column * (width + _GAP_PX), _GAP_PX + row * (height + _GAP_PX)
        sheet.paste(Image.fromarray(pair), corner)
    return sheet


def _pair(row: Row) -> np.ndarray:
    image = np.asarray(open_image(row.image_path, row.image_part).convert("RGB"))
    mask = np.asarray(open_image(row.mask_path, row.mask_part))
    return np.concatenate([image, _MASK_COLOURS[mask]], axis=1)
