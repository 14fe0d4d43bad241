"""How Ctrl-C and SIGTERM end a command: while it loads its libraries, and afterwards."""

import os
import signal
import sys
import threading

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes, the shell's."""

_terminated = threading.Event()


def end_when_interrupted() -> None:
    """Has Ctrl-C end the process in one word, unless it is ignored; there is nothing to finish yet.

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


def end_by_exceptions() -> None:
    """Has Ctrl-C be an exception, which a command may catch, if it was one before; SIGTERM as well.

    A process that SIGTERM ends at once leaves its temporary folders behind.
    """
    if hasattr(signal.getsignal(signal.SIGINT), "is_of_loading"):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def ended() -> tuple[str, int]:
    """Returns, after a `KeyboardInterrupt`, the word for it and the exit code."""
    return ("terminated", TERMINATED) if _terminated.is_set() else ("interrupted", INTERRUPTED)


def _terminate(*_: object) -> None:
    """Raises the one exception that Beam's caller knows to be no failure of a worker."""
    _terminated.set()
    raise KeyboardInterrupt
