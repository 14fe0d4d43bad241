"""Tiny data sets, made by hand in the real layouts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hand_made import MARKET_FILES, write_image, write_mask


@pytest.fixture
def market(tmp_path: Path) -> Path:
    root = tmp_path / "Market-1501-v15.09.15"
    for name in MARKET_FILES:
        write_image(root / name)
    (root / "query" / "Thumbs.db").touch()  # The published archive has such files.
    return root


@pytest.fixture
def lip(tmp_path: Path) -> Path:
    root = tmp_path / "LIP"
    for split, names in (("train", ("77_1", "78_1")), ("val", ("100_2",))):
        for name in names:
            write_image(root / f"TrainVal_images/{split}_images/{name}.jpg")
            write_mask(root / f"TrainVal_parsing_annotations/{split}_segmentations/{name}.png")
        (root / f"{split}_id.txt").write_text("\n".join(names) + "\n")
    return root


@pytest.fixture
def image_tree(tmp_path: Path) -> Callable[..., Path]:
    """Writes images at relative paths and returns their root."""

    def write(*paths: str) -> Path:
        for path in paths:
            write_image(tmp_path / "images" / path)
        return tmp_path / "images"

    return write
