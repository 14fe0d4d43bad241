"""What all readers of model files need: what a file is, its digest, and the output to take."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tfreid.errors import UsageError
from tfreid.networks.foreign import Shape, shown_shape


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file, or of a folder's files, their names and order included."""
    total = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        if file != path:
            total.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
        with open(file, "rb") as opened:
            while block := opened.read(1 << 20):
                total.update(block)
    return total.hexdigest()


def facts_of(kind: str, path: Path, **chosen: str | None) -> dict[str, str]:
    """Returns format, file name, SHA-256 and what was chosen, for JSON."""
    given = {name: value for name, value in chosen.items() if value is not None}
    return {"format": kind, "file": path.name, "sha256": digest(path), **given}


def choose(what: str, label: str, names: Mapping[str, Shape | None], wanted: str | None) -> str:
    """Returns the output, or the signature, to take.

    Args:
      what: `output` or `signature`.
      label: of the model.
      names: name -> shape, as far as it is known.
      wanted: by the user; the only one, or the only output that can be a descriptor, unless given.

    Raises:
      UsageError: if there is no such one, or there are several to choose from.
    """
    listed = "; ".join(
        f"{name} {shown_shape(shape)}" if shape else name for name, shape in names.items()
    )
    if wanted is not None:
        if wanted not in names:
            raise UsageError(f"{label} has no {what} {wanted!r} ({what}): it has {listed}")
        return wanted
    if len(names) == 1:
        return next(iter(names))
    flat = [name for name, shape in names.items() if shape is not None and len(shape) == 2]
    if len(flat) == 1:
        return flat[0]
    raise UsageError(f"{label} has several {what}s: say which ({what}), of {listed}")


def only_input(label: str, names: Mapping[str, Shape | None]) -> str:
    """Returns the name of a model's input.

    Raises:
      UsageError: if there is not exactly one.
    """
    if len(names) != 1:
        listed = "; ".join(
            f"{name} {shown_shape(shape)}" if shape else name for name, shape in names.items()
        )
        raise UsageError(
            f"{label} takes {len(names)} inputs ({listed}): export it with images as its only one"
        )
    return next(iter(names))
