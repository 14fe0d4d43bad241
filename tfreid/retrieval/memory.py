"""What memory there is, and giving back what was read of a mapped file."""

import mmap
import os
from pathlib import Path

import numpy as np


def available_bytes() -> int:
    """Returns the memory that a process can still get on this machine or in its container."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            free = 1024 * int(line.split()[1])
    group = Path("/sys/fs/cgroup")
    limit, used = (_lines(group / name) for name in ("memory.max", "memory.current"))
    if limit and used and limit[0].isdigit():
        # Cached files count as used, but are given back.
        stat = dict(line.split() for line in _lines(group / "memory.stat"))
        free = min(free, int(limit[0]) - int(used[0]) + int(stat.get("inactive_file", 0)))
    return free


def mapped_file(rows: np.ndarray) -> mmap.mmap | None:
    """Returns the memory-mapped file that an array lies in, or None."""
    owner = rows
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) else None


def give_back(rows: np.ndarray) -> None:
    """Lets the system reuse the memory of rows that were read from a memory-mapped file."""
    file = mapped_file(rows)
    # Of a writable mapping this could discard changes.
    if file is None or not (memoryview(file).readonly and rows.flags.c_contiguous):
        return
    offset = _address(rows) - _address(np.frombuffer(file, np.uint8))
    start = offset // mmap.PAGESIZE * mmap.PAGESIZE
    file.madvise(mmap.MADV_DONTNEED, start, offset + rows.nbytes - start)


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
