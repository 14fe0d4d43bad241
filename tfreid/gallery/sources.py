"""Images to enrol, and where they lie on a disk."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tfreid.datasets.files import DECODED_FORMATS
from tfreid.datasets.layout import (
    is_image,
    list_images,
    noting_passed_over,
    pass_over,
    printable,
)
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.gallery.answers import NewImage

_COLUMNS, _OPTIONAL = ("path", "person"), ("name", "camera", "time")


def images_of_folder(folder: Path) -> list[NewImage]:
    """Reads `<person>/[<camera>/]*.jpg`; an image's name is its path in the folder.

    Raises:
      MissingPathError: if there is no such folder, or no folder of a person in it.
      UsageError: if a folder has no image, images lie outside the folders of persons or cameras, or
        there are files that are no images.
    """
    persons = _subfolders(folder) if folder.is_dir() else []
    if not persons:
        raise MissingPathError(
            f"{folder}: expected a folder of persons, <person>/*.jpg or <person>/<camera>/*.jpg"
        )
    loose = [path.name for path in folder.iterdir() if path.is_file() and is_image(path)]
    if loose:
        raise UsageError(
            f"{folder} has images outside the folders of persons, such as {loose[0]}: move each "
            "into its person's folder"
        )
    with noting_passed_over() as others:
        _pass_over_all_but(persons, folder)
        paths = [path for person in persons for path in _images_of_person(person)]
    if others:
        raise UsageError(
            f"{folder} has files that are not enrolled ({len(others):,}), such as "
            f"{printable(others[0])}: expected {DECODED_FORMATS} files as <person>/*.jpg or "
            "<person>/<camera>/*.jpg; remove the others, or hide them by a dot before their name"
        )
    found = []
    for path in paths:
        name = path.relative_to(folder)
        person, *camera, _ = name.parts
        file = read_files([path])[0]
        found.append(NewImage(name.as_posix(), person, file, camera[0] if camera else None))
    return found


def images_of_list(path: Path) -> list[NewImage]:
    """Reads a CSV file with the columns path, person and, if wanted, name, camera and time.

    Raises:
      MissingPathError: if it, or an image that it names, is not there or cannot be read.
      UsageError: if it is none; the text names line and column.
    """
    [content] = read_files([path])
    try:
        lines = io.StringIO(content.decode("utf-8-sig"), newline="")
        reader = csv.DictReader(lines, strict=True)
        header = reader.fieldnames or []
        unknown = [name for name in header if name not in _COLUMNS + _OPTIONAL]
        repeated = len({*header}) < len(header)
        if unknown or repeated or not {*_COLUMNS} <= {*header}:
            raise UsageError(
                f"{path}, line 1: expected the columns {','.join(_COLUMNS)}"
                f"[,{','.join(_OPTIONAL)}], found {','.join(header) or 'nothing'}"
            )
        return [_image(row, path, reader.line_num) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def named_images(
    paths: Sequence[str], person: str, camera: str | None, taken_at: datetime | None
) -> list[NewImage]:
    """Reads images of one person; their names are the paths as they are given.

    Raises:
      MissingPathError: if one is not there.
    """
    files = read_files(paths)
    return [
        NewImage(path, person, file, camera, taken_at)
        for path, file in zip(paths, files, strict=True)
    ]


def read_files(paths: Sequence[str | Path]) -> list[bytes]:
    """Returns the bytes of files.

    Raises:
      MissingPathError: if one is not there, or cannot be read.
    """
    files = []
    for path in paths:
        if Path(path).is_fifo() or Path(path).is_char_device():  # It would be waited for.
            raise MissingPathError(f"{path} is no file")
        try:
            files.append(Path(path).read_bytes())
        except OSError as error:
            raise MissingPathError(f"{path}: {error.strerror}") from None
    return files


def moment_of(text: str) -> datetime:
    """Reads a time such as `2026-01-31T12:00`; local on this machine unless it has a time zone.

    Raises:
      UsageError: if it is none.
    """
    try:
        # Python 3.10 knows no Z.
        return datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text)).astimezone()
    except (ValueError, OverflowError, OSError):
        shown = repr(text[:40])
        raise UsageError(f"{shown} is no time: expected one such as 2026-01-31T12:00") from None


def _image(row: dict[str, str], path: Path, line: int) -> NewImage:
    if None in row or None in row.values():
        raise UsageError(f"{path}, line {line}: not as many columns as in line 1")
    values = {name: value.strip() for name, value in row.items()}
    for name in _COLUMNS:
        if not values[name]:
            raise UsageError(f"{path}, line {line}, column {name}: empty")
    try:
        return NewImage(
            name=values.get("name") or values["path"],
            person=values["person"],
            file=read_files([path.parent / values["path"]])[0],
            camera=values.get("camera") or None,
            taken_at=moment_of(values["time"]) if values.get("time") else None,
        )
    except (UsageError, MissingPathError) as error:
        raise type(error)(f"{path}, line {line}: {error}") from None


def _images_of_person(folder: Path) -> list[Path]:
    """The images of a person; what else lies there is passed over, and noted."""
    cameras, found = _subfolders(folder), []
    if cameras:
        _pass_over_all_but(cameras, folder)
    for place in cameras or [folder]:
        found += _images_in(place)
    return found


def _pass_over_all_but(read: Sequence[Path], folder: Path) -> None:
    for path in folder.iterdir():
        if path not in read:
            pass_over(path)


def _images_in(folder: Path) -> list[Path]:
    try:
        return list_images(folder)
    except DataError:
        raise UsageError(
            f"no images in {folder}: expected {DECODED_FORMATS} files; remove the folder, or put "
            "images into it"
        ) from None


def _subfolders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
