"""Outputs that appear under their names only when they are complete; JSON files; room for them."""

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tfreid.errors import DataError, UsageError
from tfreid.typed import typed

CHECKSUM = "checksum"
"""Key of a JSON file under which its own checksum stands."""

_MARK = "made_by_tfreid"


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


def write_json(path: Path, values: Any, checksum: bool = False) -> None:
    """Writes a JSON file that appears whole or not at all.

    Args:
      path: the file, which is replaced.
      values: what to write.
      checksum: whether an object also says its checksum, which `read_json` verifies.
    """
    if checksum:
        values = {**values, CHECKSUM: _checksum(values)}
    write_text(path, json.dumps(values, indent=1) + "\n")


def read_json(path: Path, kind: Any = Any) -> Any:
    """Returns the contents of a JSON file, without their checksum.

    Args:
      path: the file.
      kind: what they are: a dataclass, or what else `tfreid.typed` knows.

    Raises:
      DataError: if the file is damaged, was changed, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(values, dict) and CHECKSUM in values:
            said = values.pop(CHECKSUM)
            if said != _checksum(values):
                raise ValueError(
                    f"its contents are not those of which it says the {CHECKSUM}. Restore it, or, "
                    "if you changed it on purpose, remove that line"
                )
        return typed(kind, values)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {error}") from error


def _checksum(values: Any) -> str:
    plain = json.loads(json.dumps(values))  # As it will be read: keys are texts, tuples lists.
    return hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=16).hexdigest()


@contextlib.contextmanager
def completed_folder(out: Path) -> Iterator[Path]:
    """Gives a private folder to write to, and moves it to `out` at the end.

    It lies in a new hidden folder beside `out` that nobody else may open, so that nobody can put
    anything into it, and appears with the permissions that new folders have. On an exception it is
    removed. What a killed process of the same user left behind is removed by the next one with the
    same target; it is known by a mark in it.

    Args:
        out: the final folder; it must not be there, or be empty.

    Yields:
        The folder to write to.

    Raises:
        UsageError: if `out` is taken, or another process is writing it.
    """
    out = Path(os.path.realpath(out))
    _require_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    # A long name leaves no room for more in the name of a hidden folder; the mark has all of it.
    start = f".{out.name[:60]}."
    place = Path(tempfile.mkdtemp(".partial", start, out.parent))
    lock = lock_folder(place)
    try:
        (place / _MARK).write_text(out.name, encoding="utf-8", errors="surrogateescape")
        for other in out.parent.glob(f"{glob.escape(start)}*.partial"):
            if other != place and _is_left_for(other, out.name):
                _remove_unless_used(other, out)
        (place / "output").mkdir()
        yield place / "output"
        os.replace(place / "output", out)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(lock)


def cache_folder() -> Path:
    """Returns this user's folder for what can be had again; it need not be there."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache).expanduser() / "tfreid"


def private_folder(folder: Path) -> None:
    """Makes a folder that only this user may open, or takes one that only this user writes to.

    Raises:
      UsageError: if there is a link, something else, or a folder into which others may write.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(stat.S_IRWXU)
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_own or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(
            f"{folder} is a link, somebody else's, or open to others: move it away, or choose "
            "another folder"
        )


def lock_folder(folder: Path) -> int:
    """Locks a folder, not what a link of its name points to, until the returned file is closed.

    Raises:
      BlockingIOError: if another process has locked it.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(opened)
        raise
    return opened


def _is_left_for(place: Path, name: str) -> bool:
    """Whether a folder is a private one of this user, made to write what is called `name`."""
    mark = place / _MARK
    try:
        found = place.lstat()
        return (
            stat.S_ISDIR(found.st_mode)
            and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
            and found.st_uid == os.geteuid()
            and mark.read_text(encoding="utf-8", errors="surrogateescape") == name
        )
    except OSError:
        return False


def _remove_unless_used(place: Path, out: Path) -> None:
    try:
        lock = lock_folder(place)
    except BlockingIOError:
        raise UsageError(
            f"another process is writing {out}: wait for it, or choose another folder"
        ) from None
    shutil.rmtree(place, ignore_errors=True)
    os.close(lock)


def require_writable(folder: Path) -> None:
    """Finds out whether files can be written to a folder, there or to be made; leaves none.

    Raises:
      UsageError: if not.
    """
    try:
        with tempfile.TemporaryFile(dir=_nearest(folder)):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to ({error.strerror}): choose another place"
        ) from None


def require_new(folder: Path) -> None:
    """Finds out whether `completed_folder` can make a folder; leaves nothing.

    Raises:
      UsageError: if it is taken, or cannot be made there.
    """
    require_writable(folder.parent)
    _require_free(folder)


def _require_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists: remove it, or choose another folder")


def require_space(
    folder: Path, needed_bytes: float, what: str, advice: str = "choose another folder"
) -> None:
    """Finds out whether what will be written to a folder has room on its disk.

    Args:
      folder: there or to be made.
      needed_bytes: what is needed.
      what: what to call it in the message.
      advice: what else the user can do than free some.

    Raises:
      UsageError: if not.
    """
    free = shutil.disk_usage(_nearest(folder)).free
    if needed_bytes > free:
        raise UsageError(
            f"{what} take about {_in_words(needed_bytes)} in {folder}, and {_in_words(free)} are "
            f"free: free some, or {advice}"
        )


def bytes_of(paths: Iterable[str | os.PathLike]) -> int:
    """Returns the bytes of those paths that are files."""
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path))


def _in_words(size_bytes: float) -> str:
    in_gib = size_bytes >= 2**30
    return f"{size_bytes / 2**30:,.1f} GiB" if in_gib else f"{size_bytes / 2**20:,.1f} MiB"


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    for place in (folder.absolute(), *folder.absolute().parents):
        with contextlib.suppress(FileNotFoundError):
            place.stat()
            return place
    return folder
