"""The entries of a shard in a file, for the worker that will write it: a line of JSON for each.

Workers may run anywhere, so nothing here can run code that somebody put into the file: a part of an
image is made of the plain values of its fields.
"""

import base64
import dataclasses
import importlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tfreid.datasets.parts import Part
from tfreid.records.entries import Entry
from tfreid.typed import of_fields

_PARTS = ("image_part", "mask_part")


def write_manifest(folder: Path, name: str, entries: Iterable[Entry]) -> None:
    """Writes what belongs to a shard."""
    with _manifest(folder, name).open("w", encoding="utf-8") as file:
        for entry in entries:
            values = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
            values |= {part: _part_values(values[part]) for part in _PARTS}
            file.write(json.dumps(values) + "\n")


def read_manifest(folder: Path, name: str) -> Iterator[Entry]:
    """Yields what `write_manifest` wrote."""
    with _manifest(folder, name).open(encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            yield Entry(**values | {part: _part(values[part]) for part in _PARTS})


def remove_manifest(folder: Path, name: str) -> None:
    """Removes what `write_manifest` wrote."""
    _manifest(folder, name).unlink()


def _manifest(folder: Path, name: str) -> Path:
    return folder / f"{name}.manifest"


def _part_values(part: Part | None) -> list[Any] | None:
    """Module and name of a part's class, and its fields; bytes are in base64."""
    if part is None:
        return None
    fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    for name, value in fields.items():
        if isinstance(value, bytes):
            fields[name] = {"base64": base64.b64encode(value).decode()}
        elif dataclasses.is_dataclass(value):
            fields[name] = dataclasses.asdict(value)
    return [type(part).__module__, type(part).__qualname__, fields]


def _part(values: list[Any] | None) -> Part | None:
    if values is None:
        return None
    module, name, fields = values
    kind = getattr(importlib.import_module(module), name)
    if not dataclasses.is_dataclass(kind):
        raise ValueError(f"{module}.{name} is no part of an image")
    for field, value in fields.items():
        if isinstance(value, dict) and "base64" in value:
            fields[field] = base64.b64decode(value["base64"])
    return of_fields(kind, fields)
