"""Memory that is freed stays with the process."""

import os
import subprocess
import sys

import pytest

from tfreid.training import memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="of glibc")

# Run by itself, as what the whole package has allocated and freed would count too.
SCRIPT = f"""
import resource, runpy
import numpy as np
keep_freed_memory = runpy.run_path({memory.__file__!r})["keep_freed_memory"]

def faults():
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        blocks = [np.ones(24 << 20, np.uint8) for _ in range(6)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start

faults(), print(faults())
keep_freed_memory()
faults(), print(faults())
"""


def faults(**environment):
    """Returns how many pages the system had to give without and with freed memory kept."""
    environment = {**os.environ, **environment}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return map(int, done.stdout.split())


def test_pages_are_given_once():
    before, after = faults()
    assert before > 1000
    assert after < 100


def test_the_environment_wins():
    before, after = faults(MALLOC_TRIM_THRESHOLD_="262144")
    assert after > before / 2 > 500
