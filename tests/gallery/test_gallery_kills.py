"""A gallery whose process, or whose database, is killed in the middle of its work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.enrol_and_forget import IMAGES, describer
from tfreid.gallery import Database, Gallery

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_half_there_lost_or_back(folder):
    Gallery.create(Database(folder), describer(), "none")
    random, enrolled, forgotten, first = np.random.default_rng(0), set(), set(), 0
    for turn in range(10):
        done = killed_after(folder, first, seconds=float(random.uniform(0.1, 1.0)))
        if turn % 3 == 2:  # The machine goes down, too.
            os.kill(int((folder / "database" / "postmaster.pid").read_text().split()[0]), 9)
        enrolled |= {int(n) for what, n in done if what == "enrolled"}
        forgotten |= {int(n) for what, n in done if what == "forgotten"}
        unsure = {int(n) for what, n in done if what == "forgetting"} - forgotten
        held = {int(name[1:]): images for name, images in Gallery(Database(folder)).persons()}
        assert set(held.values()) <= {IMAGES}
        assert enrolled - forgotten - unsure <= held.keys()
        assert not forgotten & held.keys()
        assert len(held.keys() - enrolled) <= 1  # Stored, and killed before it could say so.
        enrolled |= held.keys()
        forgotten |= unsure - held.keys()
        first = max([*enrolled, first]) + 1
        first += first % 2  # Whose turn it is to be forgotten goes by even and odd.
    assert len(enrolled) > 20
    assert forgotten


def killed_after(folder: Path, first: int, seconds: float) -> list[list[str]]:
    """Lets a process work for some time after it has begun; returns what it said was done."""
    program = [sys.executable, "-m", "tests.gallery.enrol_and_forget", str(folder), str(first)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    begun = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return [line.split() for line in (begun + rest).splitlines() if line.count(" ") == 1]
