"""Tiny data sets, made by hand in the real layouts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets import miniatures
from tests.datasets.hand_made import write_image


@pytest.fixture
def market(tmp_path: Path) -> Path:
    return miniatures.market1501(tmp_path)


@pytest.fixture
def lip(tmp_path: Path) -> Path:
    return miniatures.lip(tmp_path)


@pytest.fixture
def image_tree(tmp_path: Path) -> Callable[..., Path]:
    """Writes images at relative paths and returns their root."""

    def write(*paths: str) -> Path:
        for path in paths:
            write_image(tmp_path / "images" / path)
        return tmp_path / "images"

    return write
