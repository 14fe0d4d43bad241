"""Runs a command whose own commands, as of `tfreid.demo`, are forks too: `forked_commands MODULE`.

In the environment, MORE_FLAGS maps a part of a command line to the flags that are added where it
occurs, or take the place of those of the same name, in JSON.
"""

import json
import os
import runpy
import shlex
import sys

from tests.commands import Command
from tfreid.cli import embedded
from tfreid.cli.command import MISUSE
from tfreid.errors import DataError, UsageError

MORE_FLAGS = json.loads(os.environ.get("MORE_FLAGS", "{}"))


def run_command(name, arguments):
    """Stands in for `embedded.run_command`."""
    line = f"$ python -m {shlex.join([name, *arguments])}"
    more = [flag for part, flags in MORE_FLAGS.items() if part in line for flag in flags]
    flags = {flag.partition("=")[0]: flag for flag in [*arguments, *more]}
    done = Command(name, *flags.values()).finish()
    print(f"\n{line}\n{done.stdout}", end="")
    print(done.stderr, end="", file=sys.stderr)
    if done.returncode:
        error = UsageError if done.returncode == MISUSE else DataError
        raise error(f"{name} ended with exit code {done.returncode}")


if __name__ == "__main__":
    embedded.run_command = run_command
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
