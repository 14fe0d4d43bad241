"""The embedded data set, drawn and converted on first use."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import forked_commands
from tfreid.cli import embedded
from tfreid.errors import UsageError
from tfreid.records import Records
from tfreid.synthetic.generate import Parameters
from tfreid.synthetic.plan import lip_shots, market_shots, occluded_shots

pytestmark = pytest.mark.slow

SMALL = ["--persons=4", "--lip_images=10", "--backgrounds=3", "--occluded_persons=1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of the data set, and what `ensure` returned of it."""
    path = tmp_path_factory.mktemp("embedded") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "run_command", forked_commands.run_command)
        return path, embedded.ensure(path, SMALL)


def test_is_made_once(made, capsys, monkeypatch):
    monkeypatch.setattr(embedded, "run_command", forked_commands.run_command)
    path, (reid, parsing) = made
    assert Records(reid).info.synthetic
    assert Records(reid).info.num_persons == 4
    assert Records(reid).info.has_masks("query")
    assert len(Records(parsing).backgrounds()) == 3
    copies = embedded.ensure_copies(path, 1)
    assert "$ python -m tfreid.convert" in capsys.readouterr().out
    assert (
        Records(copies).info.splits["train"].records
        == 2 * Records(reid).info.splits["train"].records
    )
    occluded = embedded.ensure_occluded(path, SMALL)
    assert Records(occluded).info.synthetic
    assert {split: info.records for split, info in Records(occluded).info.splits.items()} == {
        "query": 5,
        "gallery": 5,
    }
    capsys.readouterr()
    assert embedded.ensure(path, SMALL) == (reid, parsing)
    assert embedded.ensure_copies(path, 1) == copies
    assert embedded.ensure_occluded(path, SMALL) == occluded
    assert "tfreid.convert" not in capsys.readouterr().out


def test_occluded_persons_are_nobody_else():
    world = Parameters().world
    persons, occluded, parsed = (
        {shot.person for shot in shots}
        for shots in (market_shots(world, 100), occluded_shots(world, 200), lip_shots(world, 1500))
    )
    assert len(occluded) == 200
    assert occluded.isdisjoint(persons | parsed)


def test_other_images_are_refused(made, capfd):
    with pytest.raises(UsageError, match="ended with exit code 2"):
        embedded.ensure(made[0], [*SMALL, "--seed=1"])
    assert "seed" in capfd.readouterr().err


def test_failing_step_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"tfreid\.synthesize ended with exit code 2"):
        embedded.ensure(tmp_path / "data", ["--persons=-1"])


@pytest.mark.parametrize(
    ("stop", "status", "ends_with"),
    [
        (signal.SIGTERM, 143, 143),
        (signal.SIGINT, 130, 130),  # The command has said so: no traceback, no other word.
        (signal.SIGINT, 143, -signal.SIGINT),
    ],
)
def test_a_stopped_command_ends_in_its_own_way(tmp_path, stop, status, ends_with):
    """The command is a module that, stopped, takes a while and leaves a file."""
    (tmp_path / "slow.py").write_text(
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(0.5); pathlib.Path('ended').touch(); sys.exit(STATUS)\n"
        "signal.signal(signal.SIGTERM, end); signal.signal(signal.SIGINT, end)\n"
        "pathlib.Path('started').touch(); time.sleep(60)\n".replace("STATUS", str(status))
    )
    code = "from tfreid.cli import embedded; embedded.run_command('slow', [])"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE
    )
    while not (tmp_path / "started").exists():
        time.sleep(0.01)
    if stop == signal.SIGINT:
        os.killpg(parent.pid, stop)  # As a terminal does.
    else:
        parent.send_signal(stop)
    _, said = parent.communicate(timeout=30)
    assert (tmp_path / "ended").exists()
    assert parent.returncode == ends_with
    assert (said == b"") == (ends_with == status)
