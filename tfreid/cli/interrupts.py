"""Ctrl-C while a command loads its libraries: for seconds there is nothing to finish."""

import os
import signal
import sys

INTERRUPTED = 130


def end_when_interrupted() -> None:
    """Has Ctrl-C end the process in one word, unless it is ignored.

    As an exception it would not arrive: NumPy makes an `ImportError` of it, with tracebacks.
    """
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_usual or sys.stderr is None:
        return
    errors = os.dup(2)  # What is written to 2 itself is held back while TensorFlow loads.

    def end(*_: object) -> None:
        try:
            os.write(errors, b"interrupted\n")
        finally:
            os._exit(INTERRUPTED)

    end.is_of_loading = True
    signal.signal(signal.SIGINT, end)


def interrupt_as_usual() -> None:
    """Has Ctrl-C be an exception again, which a command may catch, if it was before."""
    if hasattr(signal.getsignal(signal.SIGINT), "is_of_loading"):
        signal.signal(signal.SIGINT, signal.default_int_handler)
