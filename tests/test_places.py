"""Outputs that cannot be written are named before a command works for an hour."""

import pytest

from tests.commands import run_command

OUTPUTS = {
    "convert": ("--dataset=folder", "--data_root=.", "--out={}/out"),
    "synthesize": ("--persons=1", "--out={}/out"),
    "parse": ("--dataset=folder", "--data_root=.", "--run=.", "--out={}/out"),
    "train": ("--method=dgd", "--out={}"),
    "evaluate": ("--run=.", "--out={}"),
    "export": ("--run=.", "--out={}"),
    "average": ("one", "two", "--out={}/out.json"),
    "reproduce": ("--table=pgp/2", "--out={}"),
    "demo": ("--out={}",),
}


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_place_that_cannot_be_written_to_is_named_first(command, tmp_path):
    (tmp_path / "file").touch()
    arguments = [argument.format(tmp_path / "file") for argument in OUTPUTS[command]]
    done = run_command(command, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"error: {tmp_path}/file cannot be written to (Not a directory)")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
