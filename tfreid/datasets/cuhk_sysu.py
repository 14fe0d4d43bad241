"""CUHK-SYSU, also PSDB: 11,934 persons marked in street snaps and films; for training only."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfreid.datasets.dataset import Dataset
from tfreid.datasets.layout import Layout, key_of, list_images, locate_any, number_unused
from tfreid.datasets.parts import Box
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import NO_CAMERA_ID, Row
from tfreid.errors import DataError

IMAGES = "Image/SSM"
ANNOTATION = "annotation/Person.mat"
CROPS = "cropped_images"

_FOLDER_NAMES = ("CUHK-SYSU", "cuhk_sysu", "PSDB")
SCENES_LAYOUT = Layout(
    title="CUHK-SYSU",
    required=(IMAGES, ANNOTATION),
    tree=f"""
{IMAGES}/s1.jpg ...
{ANNOTATION}
""",
    folder_names=_FOLDER_NAMES,
)
CROPS_LAYOUT = Layout(
    title="cropped CUHK-SYSU",
    required=(CROPS,),
    tree=f"{CROPS}/p11422_s16929_1.jpg ...",
    folder_names=_FOLDER_NAMES,
)

PUBLISHED = {"train": SplitCounts(images=34574, persons=11934)}

_PERSON = re.compile(r"p(?P<person>0*[1-9]\d*)")
_CROP_NAME = re.compile(rf"{_PERSON.pattern}_.+")


def read(root: Path) -> Reading:
    """Lists the marked persons, or the images where they are cropped already; `Dataset.read`.

    A person seen in a scene is `cuhk_sysu/p<person>_s<scene>_<n>`, the n-th image of the person.
    Boxes are taken as they are written: x, y, width and height, from 0.

    Raises:
        MissingPathError: There is neither layout.
        DataError: `Person.mat` cannot be understood, there are no images, or a cropped image is
            not named as expected.
    """
    layout, folder = locate_any((SCENES_LAYOUT, CROPS_LAYOUT), root)
    if layout is SCENES_LAYOUT:
        rows = _scene_rows(folder)
        empty = number_unused(folder / IMAGES, rows)
    else:
        rows, empty = list(_crop_rows(folder)), 0
    return Reading(
        sorted(rows, key=lambda row: row.key),
        "no_camera",
        PUBLISHED,
        excluded={"scenes in which nobody is marked": empty} if empty else {},
    )


def _scene_rows(folder: Path) -> list[Row]:
    annotation = folder / ANNOTATION
    try:
        rows = list(_marked_persons(folder, annotation))
    except Exception as error:  # whatever SciPy raises on damaged files
        raise DataError(
            f"{annotation}: expected a MATLAB file with the struct array Person and its fields "
            f"idname and scene (imname, idlocate), found otherwise ({error!r}): unpack it again"
        ) from error
    if not rows:
        raise DataError(f"{annotation} marks no persons: unpack it again")
    return rows


def _marked_persons(folder: Path, annotation: Path) -> Iterator[Row]:
    from scipy.io import loadmat

    for person in loadmat(annotation)["Person"].ravel():
        name = _text(person["idname"])
        for number, seen in enumerate(person["scene"].ravel(), start=1):
            scene = _text(seen["imname"])
            left, top, width, height = (int(length) for length in seen["idlocate"].ravel())
            yield Row(
                image_path=str(folder / IMAGES / scene),
                person_id=int(_PERSON.fullmatch(name)["person"]),
                camera_id=NO_CAMERA_ID,
                split="train",
                key=f"cuhk_sysu/{name}_{Path(scene).stem}_{number}",
                image_part=Box(left, top, width, height),
            )


def _text(value: Any) -> str:
    """Returns the text of a MATLAB array of characters."""
    return str(value.item())


def _crop_rows(folder: Path) -> Iterator[Row]:
    for image in list_images(folder / CROPS, (".jpg",)):
        match = _CROP_NAME.fullmatch(image.stem)
        if match is None:
            raise DataError(
                f"{image}: a file name of cropped CUHK-SYSU images was expected: "
                "p<person>_s<scene>_<n>.jpg, as in p11422_s16929_1.jpg; rename or remove the file"
            )
        yield Row(
            image_path=str(image),
            person_id=int(match["person"]),
            camera_id=NO_CAMERA_ID,
            split="train",
            key=key_of("cuhk_sysu", image, folder),
        )


DATASET = Dataset(
    name="cuhk_sysu",
    title="CUHK-SYSU, also PSDB (Xiao et al., arXiv:1604.01850), for training",
    kind="reid",
    obtain="From its authors' page, http://www.ee.cuhk.edu.hk/~xgwang/PS/dataset.html, on request.",
    licence="For non-commercial research and education only; not to be passed on.",
    read=read,
)
