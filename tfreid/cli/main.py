"""The console script: `tfreid train …` does what `python -m tfreid.train …` does."""

import ast
import difflib
import importlib.util
import runpy
import sys
from pathlib import Path

from tfreid.cli.command import MISUSE, answer_early

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
            "check_gpu",
        )
    },
    "pipeline": "pipeline.run_local",
    "compile-pipeline": "pipeline.run_kubeflow",
}
"""Name -> the module that is run."""


def main() -> None:
    """Runs the command that the first argument names with the arguments after it."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help", "help"):
        print(_overview())
        return
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        print(f"error: tfreid has no command {name!r}: {hint}", file=sys.stderr)
        sys.exit(MISUSE)
    sys.argv = [COMMANDS[name], *arguments]
    answer_early(_file_of(COMMANDS[name]))
    runpy.run_module(COMMANDS[name], run_name="__main__", alter_sys=True)


def _overview() -> str:
    lines = [f"  {name:18}{_first_line(module)}" for name, module in COMMANDS.items()]
    return "\n".join(
        ["usage: tfreid COMMAND [FLAGS]; tfreid COMMAND --help explains one", "", *lines]
    )


def _first_line(module: str) -> str:
    """The first line of a command's description, read without importing what it needs."""
    tree = ast.parse(_file_of(module).read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0].rstrip(".")


def _file_of(module: str) -> Path:
    path = Path(importlib.util.find_spec(module).origin)
    return path.with_name("__main__.py") if path.name == "__init__.py" else path
