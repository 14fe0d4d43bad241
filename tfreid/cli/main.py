"""The console script: `tfreid train …` does what `python -m tfreid.train …` does."""

import difflib
import importlib.util
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path

from tfreid.cli.command import MISUSE, answer_early
from tfreid.cli.source import called, calls, docstring
from tfreid.cli.unread import ends_when_unread

COMMANDS = {
    **{
        name: f"tfreid.{name}"
        for name in (
            "demo",
            "datasets",
            "synthesize",
            "convert",
            "masks",
            "parse",
            "train",
            "evaluate",
            "audit",
            "average",
            "reproduce",
            "export",
            "serve",
            "zoo",
            "check_gpu",
        )
    },
    "gallery": "tfreid.gallery",
    "pipeline": "pipeline.run_local",
    "compile-pipeline": "pipeline.run_kubeflow",
}
"""Name -> the module that is run."""


def main() -> None:
    """Runs the command that the first argument names with the arguments after it."""
    run_named(COMMANDS, "tfreid")


def run_named(commands: Mapping[str, str], program: str) -> None:
    """Runs one of several commands, as the first argument names it; `--help` lists them.

    Without any the list is on standard error, and the process ends with 2.

    Args:
      commands: name -> the module that is run.
      program: what the user calls, for messages.
    """
    if not sys.argv[1:]:
        with ends_when_unread():
            print(_overview(commands, program), file=sys.stderr)
            sys.exit(MISUSE)
    name, *arguments = sys.argv[1:]
    if name in ("-h", "--help", "help"):
        with ends_when_unread():
            print(_overview(commands, program))
        return
    if name not in commands:
        near = difflib.get_close_matches(name, commands, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(commands)}"
        with ends_when_unread():
            print(f"error: {program} has no command {name!r}: {hint}", file=sys.stderr)
            sys.exit(MISUSE)
    module = commands[name]
    sys.argv = [module, *arguments]
    if _is_run(_file_of(module)):
        answer_early(_file_of(module))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _is_run(path: Path) -> bool:
    """Whether a file is a command, and not the list of several."""
    return any(called(call) == "run" for call in calls(path))


def _overview(commands: Mapping[str, str], program: str) -> str:
    lines = [f"  {name:18}{_first_line(module)}" for name, module in commands.items()]
    return "\n".join(
        [f"usage: {program} COMMAND [FLAGS]; {program} COMMAND --help explains one", "", *lines]
    )


def _first_line(module: str) -> str:
    """The first line of a command's description, read without importing what it needs."""
    return docstring(_file_of(module)).partition("\n")[0].rstrip(".")


def _file_of(module: str) -> Path:
    path = Path(importlib.util.find_spec(module).origin)
    return path.with_name("__main__.py") if path.name == "__init__.py" else path
