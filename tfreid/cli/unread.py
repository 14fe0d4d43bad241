"""What happens to a command whose output nobody reads: `| head` has read enough, `2>&-` all."""

import contextlib
import os
import sys
from collections.abc import Iterator

FAILURE = 1


def open_closed_streams() -> None:
    """Lets streams that are closed lead nowhere.

    The next file that is opened would otherwise be in their place, where libraries write to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


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
