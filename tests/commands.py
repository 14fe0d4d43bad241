"""Runs the package's commands as a user does."""

import subprocess
import sys
from collections.abc import Callable

from absl import flags
from absl.testing import flagsaver


def run_command(name: str, *arguments: object) -> subprocess.CompletedProcess:
    """Returns exit code and output of `python -m tfreid.<name>`."""
    command = [sys.executable, "-m", f"tfreid.{name}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run_here(main: Callable[[list[str]], None], *arguments: str, **given: object) -> None:
    """Runs a command's `main` in this process: keyword arguments are its flags."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    with flagsaver.flagsaver(**given):
        main(list(arguments))
