"""Images that a command converts first, unless it did so before."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tfreid.cli.embedded import run_command
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.files import read_json, write_json

_RECORDS, _NOTE = "records", "records.json"


def ensure_converted(out: Path, arguments: Sequence[str], paths: Iterable[Path]) -> Path:
    """Converts images into `out/records`, where that is not done yet.

    What was converted is noted beside it: the flags, and the names, sizes and times of all files.

    Args:
      out: the command's folder.
      arguments: flags of `tfreid.convert` but `--out`.
      paths: files and folders that these read.

    Returns:
      The converted folder.

    Raises:
      MissingPathError: if one is not there.
      UsageError: if other images or flags were converted there before.
      SystemExit: if the conversion fails, which says why.
    """
    records, note = out / _RECORDS, out / _NOTE
    wanted = {"arguments": list(arguments), "files": _listing(paths)}
    if records.exists():
        if _noted(note) != wanted:
            raise UsageError(
                f"{records} was converted of other files or with other flags: remove it, or choose "
                "another folder (--out)"
            )
        print(f"using {records}, converted before of the same files")
        return records
    run_command("tfreid.convert", [*arguments, f"--out={records}"], passes_on=True)
    write_json(note, wanted)  # Only now: another command may be converting other files to there.
    return records


def _noted(note: Path) -> object:
    try:
        return read_json(note)
    except (FileNotFoundError, DataError):
        return None


def _listing(paths: Iterable[Path]) -> str:
    """A digest of what lies in folders, also behind links, and of files, without reading it."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        if not path.exists():
            raise MissingPathError(f"there is no file or folder {path}")
        for file in _files(path):
            found = os.stat(file) if os.path.exists(file) else os.lstat(file)
            line = (file, found.st_size, found.st_mtime_ns)
            digest.update(os.fsencode(repr(line)))
    return digest.hexdigest()


def _files(path: Path) -> Iterator[str]:
    if path.is_file():
        yield str(path)
    seen = set()
    for place, within, names in os.walk(path, followlinks=True):
        real = os.path.realpath(place)
        within[:] = [] if real in seen else sorted(within)  # Links may lead in a circle.
        yield from (os.path.join(place, name) for name in ([] if real in seen else sorted(names)))
        seen.add(real)
