"""The console script `tfreid`."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.test_architecture import commands
from tfreid.cli.main import COMMANDS
from tfreid.gallery.__main__ import COMMANDS as GALLERY_COMMANDS


def tfreid(*arguments: str) -> subprocess.CompletedProcess:
    code = "from tfreid.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_every_command_has_a_name():
    named = {*COMMANDS.values(), *GALLERY_COMMANDS.values()} - {"tfreid.gallery"}
    assert {module for module in named if module.startswith("tfreid.")} == {*commands()}
    assert all(importlib.util.find_spec(module) for module in named)


@pytest.mark.parametrize(
    ("arguments", "commands"), [([], COMMANDS), (["gallery"], GALLERY_COMMANDS)]
)
def test_the_commands_are_listed_also_where_none_is_named(arguments, commands):
    asked, misused = tfreid(*arguments, "--help"), tfreid(*arguments)
    assert [line.split()[0] for line in asked.stdout.splitlines()[2:]] == [*commands]
    assert (asked.returncode, asked.stderr) == (0, "")
    assert (misused.returncode, misused.stdout, misused.stderr) == (2, "", asked.stdout)


def test_a_command_gets_its_arguments():
    listed = tfreid("datasets", "--check=market1501", "--data_root=nowhere")
    assert listed.returncode == 2
    assert listed.stderr.startswith("error: ")
    assert "nowhere" in listed.stderr
    assert tfreid("datasets", "--help").stdout.startswith("usage: python -m tfreid.datasets")


@pytest.mark.parametrize(("name", "hint"), [("trian", "did you mean train?"), ("x", "there are ")])
def test_an_unknown_command_is_misuse(name: str, hint: str):
    refused = tfreid(name)
    assert refused.returncode == 2
    assert f"tfreid has no command {name!r}: {hint}" in refused.stderr


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["gallery"], ["--help"], ["gallery", "--help"]),
        *(["datasets", "--help"], ["datasets"], ["x"], ["datasets", "--x"]),
    ],
)
def test_a_reader_who_has_read_enough_hears_no_more(arguments: list[str], buffered: bool):
    code = "from tfreid.cli.main import main; main()"
    unread, output = os.pipe()
    os.close(unread)
    errors = output if arguments[-1:] in ([], ["gallery"], ["x"], ["--x"]) else subprocess.PIPE
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=output,
        stderr=errors,
        env=os.environ | {"PYTHONUNBUFFERED": "" if buffered else "1"},
        check=False,
    )
    os.close(output)
    assert (ended.returncode, ended.stderr or b"") == (1, b"")


@pytest.mark.parametrize("closed", [(2,), (1,), (0, 1, 2)])
@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["datasets", "--x"], 2)])
def test_closed_streams_change_no_exit_code(closed: tuple[int], arguments: list[str], status: int):
    code = "from tfreid.cli.main import main; main()"
    redirected = " ".join(f"{number}>&-" for number in closed)
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {redirected}', sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == status
    assert b"Traceback" not in ended.stdout + ended.stderr
