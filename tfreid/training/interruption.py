"""SIGTERM and Ctrl-C as a request that the training loop answers between two steps."""

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedBySignal(Exception):
    """Training stopped on request after it saved a checkpoint.

    Attributes:
      step: updates done and saved.
      exit_code: the shell's, 143 after SIGTERM and 130 after Ctrl-C. It is not 0, so that a
        script does not go on with half-trained weights.
    """

    def __init__(self, step: int, signal_number: int):
        """Stores where and why training stopped.

        Args:
          step: updates done and saved.
          signal_number: the signal received.
        """
        super().__init__(f"saved at step {step}; the same command continues it")
        self.step = step
        self.exit_code = 128 + signal_number


class StopRequest:
    """Context in which the first SIGTERM or Ctrl-C is noted; a second one acts at once.

    Attributes:
      signal_number: the signal received, or None.
    """

    def __init__(self) -> None:
        """Notes nothing yet."""
        self.signal_number: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        """Takes over the signals; only the main thread can, elsewhere they stay as they are."""
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the signals back."""
        self._give_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._give_back()
        print("stopping after this step; once more stops at once", file=sys.stderr, flush=True)

    def _give_back(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
