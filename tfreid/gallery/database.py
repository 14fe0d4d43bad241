"""Where a gallery is kept: a PostgreSQL server, or a folder that has one of its own."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import psycopg
from psycopg import sql

from tfreid.errors import DataError, MissingPathError, ServingError, UsageError
from tfreid.gallery.embedded import is_there, start

SCHEMA = "tfreid_gallery"
_CONNECT_S, _TRIALS, _PAUSE_S = 10, 4, 0.5
_LOCK = 7_370_311  # Of this project's own choice: only one process migrates at a time.


class Database:
    """A gallery's tables, wherever they are.

    Args:
      place: `postgresql://…` of a database, or the folder of a gallery.
    """

    def __init__(self, place: str | Path):
        self.place = place

    @property
    def is_embedded(self) -> bool:
        """Whether a server of the gallery's own runs in its folder."""
        return "://" not in str(self.place)

    def __str__(self) -> str:
        """Returns the place, without a password."""
        place = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", str(self.place))
        return re.sub(r"(password=)[^&]*", r"\1…", place)

    @contextlib.contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """Gives a connection whose statements are each a transaction, unless one is begun.

        Raises:
          UsageError: if the place is no address, or it is given what it has no form for, such as
            characters that are none.
          ServingError: if the server is not there, refuses, or goes away.
          DataError: if it has no room, or what it holds is damaged.
        """
        try:
            with self._connected() as connection:
                yield connection
        except (psycopg.DataError, UnicodeEncodeError) as error:
            raise UsageError(f"{self} cannot take that: {_first_line(error)}") from None
        except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
            raise DataError(f"{self}: {_first_line(error)}: nothing was changed") from None
        except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
            raise DataError(f"{self} is damaged: {_first_line(error)}") from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise ServingError(f"{self} does not allow that: {_first_line(error)}") from None
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise ServingError(f"{self}: {_first_line(error)}") from None

    def _connected(self) -> psycopg.Connection:
        trials_left = _TRIALS if self.is_embedded else 1
        while True:
            address = start(Path(self.place)) if self.is_embedded else str(self.place)
            try:
                return psycopg.connect(
                    address,
                    autocommit=True,
                    client_encoding="utf8",  # Of what COPY is sent, whatever the database's is.
                    connect_timeout=_CONNECT_S,
                    options=f"-c search_path={SCHEMA},public -c timezone=UTC",
                )
            except psycopg.ProgrammingError as error:
                raise UsageError(f"{self} is no address: {_first_line(error)}") from None
            except psycopg.OperationalError:  # A server that was killed is started again.
                trials_left -= 1
                if not trials_left:
                    raise
                time.sleep(_PAUSE_S)

    def create(self, finish: Callable[[psycopg.Connection], None]) -> None:
        """Makes the tables.

        Args:
          finish: what else to do in the same transaction.

        Raises:
          UsageError: if there is a gallery, or the server has no pgvector.
          ServingError, DataError: as `connect`.
        """
        with self.connect() as connection, _alone(connection):
            if _version(connection) is not None:
                raise UsageError(f"{self} holds a gallery already: choose another place")
            _make_extension(connection, self)
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
            connection.execute("CREATE TABLE migration (number integer PRIMARY KEY)")
            _migrate(connection, 0)
            finish(connection)

    def migrate(self) -> None:
        """Brings the tables of an older release up to date.

        Raises:
          MissingPathError: if there is no gallery.
          UsageError: if it is of a newer release.
          ServingError, DataError: as `connect`.
        """
        none = f"{self} holds no gallery: make one there with python -m tfreid.gallery create"
        if self.is_embedded and not is_there(Path(self.place)):
            raise MissingPathError(none)
        with self.connect() as connection:
            found = _version(connection)
            newest = max(_migrations())
            if found is None:
                raise MissingPathError(none)
            if found > newest:
                raise UsageError(
                    f"{self} was written by a newer release of tfreid (its tables are number "
                    f"{found}, this release knows {newest}): use that release"
                )
            if found < newest:
                with _alone(connection):
                    _migrate(connection, _version(connection))


@contextlib.contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction that waits for other processes that do the same."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def _version(connection: psycopg.Connection) -> int | None:
    """Returns the number of the last migration, None where there are no tables."""
    there = connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.migration"]).fetchone()[0]
    if there is None:
        return None
    return connection.execute("SELECT max(number) FROM migration").fetchone()[0]


def _migrate(connection: psycopg.Connection, version: int) -> None:
    for number, text in _migrations().items():
        if number > version:
            connection.execute(text)
            connection.execute("INSERT INTO migration VALUES (%s)", [number])


def _migrations() -> dict[int, str]:
    """Number of each migration, in order -> its statements."""
    files = sorted(
        (file for file in resources.files("tfreid.gallery").joinpath("migrations").iterdir()),
        key=lambda file: file.name,
    )
    return {
        int(file.name[:3]): file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".sql")
    }


def _make_extension(connection: psycopg.Connection, database: Database) -> None:
    try:
        with connection.transaction():
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.execute("SELECT '[1]'::halfvec")
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported) as error:
        raise UsageError(
            f"{database} has no pgvector ({_first_line(error)}): have it installed, and CREATE "
            "EXTENSION vector run by a superuser"
        ) from None
    except psycopg.errors.UndefinedObject:
        raise UsageError(f"{database} has an old pgvector: update the extension to 0.8") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
