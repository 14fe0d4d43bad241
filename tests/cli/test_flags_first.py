"""Typing errors in flags are answered before a command loads what it needs."""

import subprocess
import sys

import pytest

from tfreid.cli.main import COMMANDS

NO_LIBRARIES = (
    "import importlib.abc, runpy, sys\n"
    "class Refuse(importlib.abc.MetaPathFinder):\n"
    "    def find_spec(self, name, path, target=None):\n"
    "        if name in ('tensorflow', 'keras', 'apache_beam', 'tfx'):\n"
    "            raise SystemExit(f'{name} is loaded')\n"
    "sys.meta_path.insert(0, Refuse())\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
)


def call(module: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", NO_LIBRARIES, module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", COMMANDS.values())
def test_an_unknown_flag_is_answered_first(module):
    done = call(module, "--mehtod=pgp")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: --mehtod is no flag of {module}; ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["tfreid.train", "--mehtod=pgp"], "did you mean --method?"),
        (["tfreid.train", "--method=pgp", "--seed=x"], "--seed=x"),
        (["tfreid.train", "--method=pgp", "--seed=-1"], "--seed=-1"),
        (["tfreid.train", "--method=pgp", "--scale=papr"], "--scale=papr"),
        (["tfreid.train"], "--method must be given"),
        (["tfreid.train", "--method=pgp", "more"], "unexpected argument 'more'"),
        (["tfreid.evaluate", "--rerank_lambda=2", "--run=x"], "--rerank_lambda=2"),
        (["tfreid.evaluate"], "--run must be given"),
        (["tfreid.audit", "--max_background_loss=2"], "--max_background_loss=2"),
        (["tfreid.audit", "--presett=x"], "did you mean --preset"),
        (["tfreid.audit", "--data=x"], "give --model, or --descriptors"),
        (["tfreid.audit", "--model=x"], "give one of --data (converted) and --data_root"),
        (
            ["tfreid.audit", "--data=x", "--parser=y", "--model=z"],
            "--parser: goes with --data_root",
        ),
        (["tfreid.audit", "--data=x", "--write_images=y", "--model=z"], "leave --model and"),
        (["tfreid.export", "--run=x", "--flip_averagin"], "did you mean --flip_averaging?"),
    ],
)
def test_mistakes_in_values_are_answered_first(arguments, text):
    done = call(*arguments)
    assert (done.returncode, text in done.stderr) == (2, True), done.stderr
