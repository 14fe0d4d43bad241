"""What every Beam pipeline here does alike: its runner, and errors that come back as themselves."""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfreid.errors import UsageError

LOCAL_RUNNER = "--runner=FnApiRunner"
"""Runs in this process. Beam's own default would download a runner."""

_NO_JOB_SERVER = ("job server jar", "must specify a --job_endpoint")
"""Of what Beam says where a portable runner was not told of a server, or cannot fetch its own."""


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

    Raises:
        UsageError: the job server of a runner is not there.
    """
    full = os.strerror(errno.ENOSPC)
    try:
        yield
    except Exception as error:
        if KeyboardInterrupt.__name__ in str(error):
            raise KeyboardInterrupt from error
        if full in str(error):
            raise OSError(errno.ENOSPC, full, str(out)) from error
        if any(words in str(error) for words in _NO_JOB_SERVER):
            raise UsageError(f"the runner cannot start: {error}") from error
        raise
