"""A user's own images, listed in a manifest in the CSV format."""

import csv
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from tfreid.datasets.dataset import REID_SPLITS, Dataset
from tfreid.datasets.layout import Layout, pass_over
from tfreid.datasets.numbering import names_by_number, number_names, number_persons
from tfreid.datasets.protocols import protocol_for
from tfreid.datasets.reading import Reading
from tfreid.datasets.row import NO_CAMERA_ID, Row
from tfreid.errors import DataError, MissingPathError

COLUMNS = ("path", "person_id", "camera_id", "split")
OPTIONAL_COLUMNS = ("mask_path",)
_MAX_NAMED_ERRORS = 10

LAYOUT = Layout(
    title="csv",
    required=(),
    tree="""
a file such as manifest.csv, or a folder with one such file:
path,person_id,camera_id,split,mask_path
crops/0001.jpg,anna,entrance,train,masks/0001.png
(split: train, query or gallery; camera_id: empty throughout where not known;
mask_path: optional; paths: relative to the manifest)
""",
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Line:
    number: int
    fields: dict[str, str]


def read(root: Path) -> Reading:
    """Lists the images of a manifest; `Dataset.read`.

    Args:
        root: The manifest, or a folder that holds one `*.csv`.

    Raises:
        MissingPathError: There is no such file.
        DataError: The manifest is wrong; the text names lines and columns.
    """
    manifest = _locate(root)
    lines = _read_lines(manifest)
    errors = list(_errors(lines, manifest.parent))
    if errors:
        named = [f"  {error}" for error in errors[:_MAX_NAMED_ERRORS]]
        if len(errors) > len(named):
            named.append(f"  ... and {len(errors) - len(named)} more")
        raise DataError("\n".join([f"{manifest} has errors:", *named]))
    _pass_over_others(lines, manifest)
    persons = number_persons(line.fields["person_id"] for line in lines)
    camera_names = (line.fields["camera_id"] for line in lines)
    cameras = number_names(filter(None, camera_names), "camera")
    rows = sorted(_rows(lines, manifest.parent, persons, cameras), key=lambda row: row.key)
    names = {"person_names": names_by_number(persons), "camera_names": names_by_number(cameras)}
    return Reading(rows, protocol=protocol_for(rows), **names)


def _locate(root: Path) -> Path:
    found = sorted(root.glob("*.csv")) if root.is_dir() else [root]
    if len(found) != 1 or not found[0].is_file():
        raise MissingPathError(
            f"no single manifest in {root}: name the file itself\n{LAYOUT.expectation(root)}"
        )
    _log.info("recognised the %s layout in %s", LAYOUT.title, found[0])
    return found[0]


def _read_lines(manifest: Path) -> list[_Line]:
    # "utf-8-sig" passes over the byte order mark that spreadsheets write.
    with manifest.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        try:
            header = [name.strip() for name in next(reader, [])]
            _check_header(header, manifest)
            lines = [
                _line(reader.line_num, header, values, manifest) for values in reader if values
            ]
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{manifest}, line {reader.line_num + 1}: {error}") from None
    if not lines:
        raise DataError(f"{manifest} lists no images: expected one a line after the header")
    return lines


def _check_header(header: list[str], manifest: Path) -> None:
    missing = [name for name in COLUMNS if name not in header]
    unknown = [name for name in header if name not in COLUMNS + OPTIONAL_COLUMNS]
    repeated = len(set(header)) < len(header)
    if missing or unknown or repeated:
        raise DataError(
            f"{manifest}, line 1: expected the columns {','.join(COLUMNS)}"
            f"[,{','.join(OPTIONAL_COLUMNS)}], found {','.join(header) or 'nothing'}"
        )


def _line(number: int, header: list[str], values: list[str], manifest: Path) -> _Line:
    if len(values) != len(header):
        raise DataError(
            f"{manifest}, line {number}: expected {len(header)} columns "
            f"({','.join(header)}), found {len(values)}; quote values that hold commas"
        )
    return _Line(number, dict(zip(header, (value.strip() for value in values), strict=True)))


def _errors(lines: list[_Line], folder: Path) -> Iterator[str]:
    """Yields every error that one line shows, or that shows against the lines before."""
    cameras_known = any(line.fields["camera_id"] for line in lines)
    seen: dict[str, int] = {}
    for line in lines:
        fields, place = line.fields, f"line {line.number}, column"
        if not fields["person_id"]:
            yield f"{place} person_id: empty; expected a name or a number"
        if cameras_known and not fields["camera_id"]:
            yield f"{place} camera_id: empty, but other lines have one; fill in all or none"
        if fields["split"] not in REID_SPLITS:
            yield f"{place} split: {fields['split']!r}; expected {', '.join(REID_SPLITS)}"
        if fields.get("mask_path") and not os.path.isfile(folder / fields["mask_path"]):
            yield f"{place} mask_path: no file {folder / fields['mask_path']}"
        path = folder / fields["path"]
        first = seen.setdefault(os.path.normpath(path), line.number)
        if not os.path.isfile(path):  # also where the name is too long to ask
            yield f"{place} path: no file {path}"
        elif first != line.number:
            yield f"{place} path: {fields['path']} is listed in line {first} already"


def _pass_over_others(lines: list[_Line], manifest: Path) -> None:
    """Notes what lies beside the images and the masks that a manifest names, and it does not."""
    columns = ("path", *OPTIONAL_COLUMNS)
    given = (line.fields.get(column) for line in lines for column in columns)
    named = {os.path.normpath(manifest.parent / path) for path in given if path}
    for folder in sorted({os.path.dirname(path) for path in named}):
        for path in sorted(Path(folder).iterdir()):
            if os.path.normpath(path) not in named and not path.is_dir() and path != manifest:
                pass_over(path)


def _rows(
    lines: list[_Line], folder: Path, persons: dict[str, int], cameras: dict[str, int]
) -> Iterator[Row]:
    for fields in (line.fields for line in lines):
        path, mask = folder / fields["path"], fields.get("mask_path")
        relative = PurePath(os.path.relpath(path, folder)).with_suffix("")
        yield Row(
            image_path=str(path),
            person_id=persons[fields["person_id"]],
            camera_id=cameras[fields["camera_id"]] if fields["camera_id"] else NO_CAMERA_ID,
            split=fields["split"],
            key=f"csv/{relative.as_posix()}",
            mask_path=str(folder / mask) if mask else None,
        )


DATASET = Dataset(
    name="csv",
    title="Your own images, listed in a CSV manifest",
    kind="reid",
    obtain=f"Write a file with the columns {','.join(COLUMNS)}[,{','.join(OPTIONAL_COLUMNS)}]; "
    "paths are relative to it.",
    licence="Yours.",
    read=read,
)
