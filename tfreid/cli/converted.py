"""Images that a command converts first, unless it did so before."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfreid.cli.embedded import run_command
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.files import read_json, write_json

_RECORDS, _NOTE = "records", "records.json"


def ensure_converted(out: Path, arguments: Sequence[str], folders: Iterable[Path]) -> Path:
    """Converts images into `out/records`, where that is not done yet.

    What was converted is noted beside it: the flags, and the names, sizes and times of all files.

    Args:
      out: the command's folder.
      arguments: flags of `tfreid.convert` but `--out`.
      folders: what these read.

    Returns:
      The converted folder.

    Raises:
      MissingPathError: if a folder is not there.
      UsageError: if other images or flags were converted there before.
      SystemExit: if the conversion fails, which says why.
    """
    records, note = out / _RECORDS, out / _NOTE
    wanted = {"arguments": list(arguments), "files": _listing(folders)}
    if records.exists():
        if _noted(note) != wanted:
            raise UsageError(
                f"{records} was converted of other files or with other flags: remove it, or choose "
                "another folder (--out)"
            )
        print(f"using {records}, converted before of the same files")
        return records
    write_json(note, wanted)
    run_command("tfreid.convert", [*arguments, f"--out={records}"], passes_on=True)
    return records


def _noted(note: Path) -> object:
    try:
        return read_json(note)
    except (FileNotFoundError, DataError):
        return None


def _listing(folders: Iterable[Path]) -> str:
    """A digest of what lies in folders, without reading it."""
    digest = hashlib.blake2b(digest_size=16)
    for folder in folders:
        if not folder.exists():
            raise MissingPathError(f"there is no folder {folder}")
        for place, within, names in os.walk(folder):
            within.sort()
            for name in sorted(names):
                found = os.lstat(os.path.join(place, name))
                line = (os.path.join(place, name), found.st_size, found.st_mtime_ns)
                digest.update(os.fsencode(repr(line)))
    return digest.hexdigest()
