"""A PostgreSQL server with pgvector as Debian packages it, started for tests."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def debian_server() -> Iterator[str]:
    """Gives the address of a database of a server; skips the test where there is none."""
    if address := os.environ.get("TFREID_TEST_DATABASE"):
        yield address
        return
    found = sorted(Path("/usr/share/postgresql").glob("*/extension/vector.control"))
    if not found:
        pytest.skip("no PostgreSQL server with pgvector is installed (postgresql-17-pgvector)")
    programs = Path("/usr/lib/postgresql") / found[-1].parts[4] / "bin"
    place = Path(tempfile.mkdtemp(prefix="server", dir="/tmp"))
    place.chmod(0o777)

    def run(program: str, *arguments: object) -> None:
        # PostgreSQL does not run as root; the package has made a user for it.
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*user, programs / program, "-D", place / "data", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "--auth=trust", "--username=tester")
        options = f"-k {place} -c listen_addresses=''"
        run("pg_ctl", "-w", "-l", place / "log", "-o", options, "start")
        yield f"postgresql://tester@{str(place).replace('/', '%2F')}/postgres"
        run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)
