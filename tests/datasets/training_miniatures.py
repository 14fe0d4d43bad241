"""Miniatures of the data sets that joint training takes: two cameras, or training alone."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from tests.datasets.hand_made import write_image

THREE_DPES_PERSONS = 103
"""One has a single view, so that two of the others train beside the 100 of the test."""


def write_images(folder: Path, names: Iterable[str]) -> Path:
    for name in names:
        write_image(folder / name)
    return folder


def viper(root: Path) -> Path:
    """Persons 0 to 5 before both cameras, person 873 before one."""
    names = [f"cam_a/{person:03d}_45.bmp" for person in range(6)]
    names += [f"cam_b/{person:03d}_135.bmp" for person in range(5)]
    return write_images(root / "VIPeR", [*names, "cam_b/005_90.BMP", "cam_b/873_0.bmp"])


def cuhk01(root: Path) -> Path:
    """Persons 1 to 5 with all their images, person 6 before camera b alone."""
    names = [f"{person:04d}{image:03d}.png" for person in range(1, 6) for image in range(1, 5)]
    return write_images(root / "campus", [*names, "0006003.png", "0006004.PNG"])


def cuhk02(root: Path) -> Path:
    """Persons 1 and 2 in each pair; they are others in each."""
    return write_images(
        root / "Dataset",
        (
            f"P{pair}/cam{camera}/{person:03d}_{frame:04d}.png"
            for pair in range(1, 6)
            for camera in (1, 2)
            for person, frame in ((1, 24), (1, 25), (2, 310))
        ),
    )


Boxes = Mapping[str, Iterable[tuple[str, tuple[int, int, int, int]]]]

SYSU_BOXES: Boxes = {
    "p1": [("s3.jpg", (5, 4, 10, 20)), ("s4.jpg", (30, 2, 8, 30))],
    "p2": [("s3.jpg", (40, 10, 12, 25))],
    "p11934": [("s4.jpg", (0, 0, 9, 18)), ("s4.jpg", (50, 20, 30, 40))],
}


def person_mat(path: Path, boxes: Boxes = SYSU_BOXES) -> Path:
    """Writes boxes x, y, width, height as CUHK-SYSU has them: a 1xN struct of 1xM structs."""
    persons = np.empty((1, len(boxes)), [(f, object) for f in ("idname", "nAppear", "scene")])
    for number, (name, seen) in enumerate(boxes.items()):
        fields = ("imname", "idlocate", "ishard")
        scene = np.empty((1, len(seen)), [(field, object) for field in fields])
        for place, (image, box) in enumerate(seen):
            scene[0, place] = (image, np.array([box], np.int32), np.uint8([[0]]))
        persons[0, number] = (name, np.uint8([[len(seen)]]), scene)
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"Person": persons})
    return path


def cuhk_sysu(root: Path) -> Path:
    folder = root / "CUHK-SYSU"
    person_mat(folder / "annotation/Person.mat")
    (folder / "Image/SSM").mkdir(parents=True)
    for number, name in enumerate(("s3.jpg", "s4.jpg")):
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "Image/SSM" / name)
    return folder


def three_dpes(root: Path) -> Path:
    """Persons with two views, but for person 1 (five), person 2 (three) and person 3 (one)."""
    views = {1: (1, 2, 3, 9, 10), 2: (1, 4, 7), 3: (2,)}
    return write_images(
        root / "3DPeS",
        (
            f"RGB/{person}_{view}_FRAME_{20 + view}_RGB.bmp"
            for person in range(1, THREE_DPES_PERSONS + 1)
            for view in views.get(person, (1, 2))
        ),
    )


PRID_PERSONS = {"cam_a": (1, 2, 3, 4, 201, 202), "cam_b": (1, 2, 3, 4, 201, 749)}


def prid(root: Path) -> Path:
    """Persons 1 to 4 before both cameras; 201, 202 before a and 201, 749 before b are others."""
    folder = root / "prid_2011"
    for camera, persons in PRID_PERSONS.items():
        for person in persons:
            write_image(folder / f"single_shot/{camera}/person_{person:04d}.png")
            for frame in (1, 2):
                write_image(folder / f"multi_shot/{camera}/person_{person:04d}/{frame:04d}.png")
    return folder


def shinpuhkan(root: Path) -> Path:
    return write_images(
        root / "Shinpuhkan2014dataset",
        (
            "images/001_01_01_0001.jpg",
            "images/001_16_01_0002.jpg",
            "images/024_01_02_0003.JPG",
            "images/024_02_02_0004.jpg",
        ),
    )
