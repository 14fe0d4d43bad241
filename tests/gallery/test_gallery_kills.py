"""A gallery whose process, or whose database, is killed in the middle of its work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.enrol_and_forget import IMAGES, describer, name
from tfreid.gallery import Database, Gallery
from tfreid.gallery.contents import Contents

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["forget", "expire"])
def test_killed_at_any_moment_nothing_is_half_there_lost_or_back(folder, how):
    Gallery.create(Database(folder), describer(), "none", expire_days=30)
    random, first = np.random.default_rng(0), 0
    enrolled, forgotten, unsure = set(), set(), set()
    for turn in range(6):
        done = killed_after(folder, first, how, seconds=float(random.uniform(0.1, 1.0)))
        if turn % 3 == 2:  # The machine goes down, too.
            os.kill(int((folder / "database" / "postmaster.pid").read_text().split()[0]), 9)
        enrolled |= {int(n) for what, n in done if what == "enrolled"}
        forgotten |= {int(n) for what, n in done if what == "forgotten"}
        # Once begun, a server may finish a statement whose process is dead.
        unsure |= {int(n) for what, n in done if what == "forgetting"}
        unsure -= forgotten
        held = persons_of(Contents(Database(folder)))  # To open a `Gallery` lets images expire.
        assert set(held.values()) <= {IMAGES}
        assert enrolled - forgotten - unsure <= held.keys()
        assert not forgotten & held.keys()
        assert len(held.keys() - enrolled) <= 1  # Stored, and killed before it could say so.
        enrolled |= held.keys()
        opened = persons_of(Gallery(Database(folder)))
        assert opened.keys() >= held.keys() - unsure
        assert not opened.keys() & {int(n) for what, n in done if what == "old"}
        forgotten |= unsure - opened.keys()
        files = contents_of(folder)
        assert not [n for n in forgotten if name(n, 0).encode() in files]
        first = max([*enrolled, first]) + 1
        first += first % 2  # Whose turn it is to be forgotten goes by even and odd.
    assert len(enrolled) > 6
    assert forgotten


def persons_of(contents: Contents) -> dict[int, int]:
    return {int(person[1:]): images for person, images in contents.persons()}


def contents_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def killed_after(folder: Path, first: int, how: str, seconds: float) -> list[list[str]]:
    """Lets a process work for some time after it has begun; returns what it said was done."""
    program = [sys.executable, "-m", "tests.gallery.enrol_and_forget", str(folder), str(first), how]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    begun = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return [line.split() for line in (begun + rest).splitlines() if line.count(" ") == 1]
