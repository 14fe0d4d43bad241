"""Runs the package's commands as a user does."""

import subprocess
import sys


def run_command(name: str, *arguments: object) -> subprocess.CompletedProcess:
    """Returns exit code and output of `python -m tfreid.<name>`."""
    command = [sys.executable, "-m", f"tfreid.{name}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
