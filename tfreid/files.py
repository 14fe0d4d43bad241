"""An output folder that appears under its name only when it is complete."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfreid.errors import UsageError


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
        raise UsageError(f"{out} exists: remove it, or choose another --out")
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
            f"another process is writing {path}: wait for it, or choose another --out"
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
