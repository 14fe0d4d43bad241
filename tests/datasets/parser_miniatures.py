"""Miniatures of the data sets that train parsers."""

from pathlib import Path

from tests.datasets.hand_made import write_image, write_mask


def human_parsing(root: Path) -> Path:
    folder = root / "humanparsing"
    for number in range(1, 12):
        write_image(folder / f"JPEGImages/2500_{number}.jpg")
        write_mask(folder / f"SegmentationClassAug/2500_{number}.png", highest=17)
    return folder
