"""What happens to a command whose output nobody reads: `| head` has read enough, `2>&-` all."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator

FAILURE = 1


def ready_streams() -> None:
    """Lets streams that are closed lead nowhere, and others show what they have no characters for.

    The next file that is opened would otherwise be in the place of a closed one, where libraries
    write to; and a file's name need not be of characters.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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
