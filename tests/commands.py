"""Runs the package's commands as a user does."""

import functools
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from absl import flags
from absl.testing import flagsaver

LIBRARIES = (
    "tfreid.cli.command",  # First, as in a command.
    "tfreid.records.conversion",
    "tfreid.training",
    "tfreid.report",
    "tfreid.serving",
)
_NUMBERS = itertools.count()


class Command:
    """`python -m module`, running in a process of its own that did not have to load libraries.

    Args:
      module: the module to run.
      arguments: its arguments.
      libraries: modules to be loaded before; each choice of them costs a process that stays.
      environment: variables to change.
    """

    def __init__(self, module: str, *arguments: object, libraries=LIBRARIES, **environment: str):
        self.arguments = [module, *map(str, arguments)]
        self.returncode = None
        folder = _warm_process(libraries)
        name = f"{os.getpid()}-{next(_NUMBERS)}"
        self._output, self._errors = (folder / f"{name}.{kind}" for kind in ("out", "err"))
        self._output.touch()
        self._errors.touch()
        request = {
            "module": module,
            "arguments": self.arguments[1:],
            "folder": os.getcwd(),
            "environment": os.environ | environment,
            "output": str(self._output),
            "errors": str(self._errors),
        }
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(folder / "socket"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        self._answers = connection.makefile("rb", buffering=0)
        self.pid = int(self._answers.readline())

    def poll(self, timeout: float = 0) -> int | None:
        """Returns the exit code (minus the signal's number), or None while the command runs."""
        if self.returncode is None and select.select([self._answers], [], [], timeout)[0]:
            self.returncode = int(self._answers.readline())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal to the command."""
        os.kill(self.pid, number)

    def output(self) -> str:
        """Returns what the command has written on standard output so far."""
        return self._output.read_text()

    def finish(self, timeout: float = 600) -> subprocess.CompletedProcess:
        """Waits for the command to end."""
        if self.poll(timeout) is None:
            self.send_signal(signal.SIGKILL)
            raise subprocess.TimeoutExpired(self.arguments, timeout)
        return subprocess.CompletedProcess(
            self.arguments, self.returncode, self.output(), self._errors.read_text()
        )


def run_command(name: str, *arguments: object) -> subprocess.CompletedProcess:
    """Returns exit code and output of `python -m tfreid.<name>`."""
    return Command(f"tfreid.{name}", *arguments).finish()


def run_here(main: Callable[[list[str]], None], *arguments: str, **given: object) -> None:
    """Runs a command's `main` in this process: keyword arguments are its flags."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    with flagsaver.flagsaver(**given):
        main(list(arguments))


@functools.cache
def _warm_process(libraries: tuple[str, ...]) -> Path:
    """Starts the process that commands are forks of; returns a folder for its socket and them.

    It ends, and removes the folder, when this process has ended. A fork of it uses it too.
    """
    if "WARM_PROCESS" in os.environ:
        return Path(os.environ["WARM_PROCESS"])
    folder = Path(tempfile.mkdtemp())
    script = str(Path(__file__).with_name("warm_process.py"))
    command = [sys.executable, script, str(folder / "socket"), *libraries]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "WARM_PROCESS": str(folder),
    }
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment
    )
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError(f"{script} did not start")
    return folder
