"""What happens to a command whose output nobody reads on: `| head` has read enough."""

import contextlib
import os
import sys
from collections.abc import Iterator

FAILURE = 1


@contextlib.contextmanager
def ends_when_unread() -> Iterator[None]:
    """Ends the process without a word, with 1, where its output is no longer read.

    What is printed inside is written out before the end, so that nothing is left for the
    interpreter, which would complain.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        sys.exit(FAILURE)
