"""Miniatures of the data sets of occluded persons."""

from pathlib import Path

from tests.datasets.hand_made import write_image


def partial_reid(root: Path) -> Path:
    folder = root / "Partial_REID"
    for person in ("001", "002"):
        for number in ("001", "002"):
            write_image(folder / f"partial_body_images/{person}_{number}.jpg")
            write_image(folder / f"whole_body_images/{person}_{number}.jpg")
    write_image(folder / "occluded_body_images/001_001.jpg")
    (folder / "whole_body_images/Thumbs.db").touch()
    return folder


def partial_ilids(root: Path) -> Path:
    folder = root / "Partial_iLIDS"
    for person in ("001", "002"):
        write_image(folder / f"Probe/{person}_1.JPG")
        write_image(folder / f"Gallery/{person}_2.jpg")
    (folder / "Gallery/._001_2.jpg").touch()
    return folder


def occluded_reid(root: Path) -> Path:
    folder = root / "Occluded_REID"
    for person in ("001", "002"):
        write_image(folder / f"occluded_body_images/{person}/{person}_01.tif")
        write_image(folder / f"whole_body_images/{person}/{person}_06.TIF")
    return folder
