"""What every Beam pipeline here does alike: its runner, and errors that come back as themselves."""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

LOCAL_RUNNER = "--runner=FnApiRunner"
"""Runs in this process. Beam's own default would download a runner."""


def with_runner(beam_args: Sequence[str]) -> list[str]:
    """Returns Beam pipeline options that name a runner: `LOCAL_RUNNER` unless they already do.

    Raises:
        UsageError: an option is not known; see `tfreid.records.beam_options`.
    """
    named = any(arg.partition("=")[0] == "--runner" for arg in beam_args)
    options = [*beam_args] if named else [LOCAL_RUNNER, *beam_args]
    if beam_args:
        from tfreid.records.beam_options import require_known  # Only here: Beam is slow to import.

        require_known(options)
    return options


@contextlib.contextmanager
def unwrapped_errors(out: Path) -> Iterator[None]:
    """Raises an interrupt and a full disk as what they are: Beam passes errors on as text.

    Args:
        out: what is being written, for the error.
    """
    full = os.strerror(errno.ENOSPC)
    try:
        yield
    except Exception as error:
        if KeyboardInterrupt.__name__ in str(error):
            raise KeyboardInterrupt from error
        if full in str(error):
            raise OSError(errno.ENOSPC, full, str(out)) from error
        raise
