"""Outputs that appear under their names only when they are complete; JSON files."""

import contextlib
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfreid.errors import DataError, UsageError


@contextlib.contextmanager
def completed_file(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to, and renames the file to `path` at the end.

    Several processes may write the same file: each writes its own, and the last one stays. The
    folder is made if it is not there. On an exception the file is removed.

    Args:
      path: the final file, which is replaced.

    Yields:
      A hidden path of the same ending.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file, UTF-8, that appears whole or not at all."""
    with completed_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Writes a JSON file that appears whole or not at all."""
    write_text(path, json.dumps(values, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """Returns the contents of a JSON file.

    Raises:
      DataError: if it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}") from error


@contextlib.contextmanager
def completed_folder(out: Path) -> Iterator[Path]:
    """Gives a folder beside `out` to write to, and renames it to `out` at the end.

    On an exception the folder is removed. What a killed process left behind is removed by the
    next one with the same target.

    Args:
        out: the final folder; it must not be there, or be empty.

    Yields:
        The folder `<out>.partial` to write to.

    Raises:
        UsageError: if `out` is taken, or another process is writing it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists: remove it, or choose another folder")
    partial = out.with_name(f"{out.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    lock = os.open(partial, os.O_RDONLY)
    try:
        _lock(lock, partial)
        try:
            for left_behind in partial.iterdir():
                _remove(left_behind)
            yield partial
            os.replace(partial, out)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def _lock(folder: int, path: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"another process is writing {path}: wait for it, or choose another folder"
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
