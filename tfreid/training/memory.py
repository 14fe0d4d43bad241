"""Keeps the memory that each step frees for the next one, which asks for as much again."""

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # parameters of mallopt(3)
_NEVER = -1
_LARGEST = 32 << 20  # bytes; glibc takes no higher threshold


def keep_freed_memory() -> None:
    """Tells glibc not to hand freed memory back to the system; elsewhere nothing changes.

    By default it hands back large blocks, and the system clears every page of them when they are
    asked for again, step after step. From here on the process stays as large as it was at its
    largest. Blocks of more than 32 MiB are handed back all the same. What the user says in the
    environment (`MALLOC_...`) stays.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and not any(name.startswith("MALLOC_") for name in os.environ):
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _NEVER)
