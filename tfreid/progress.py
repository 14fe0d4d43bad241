"""Progress of long work: a live bar on a terminal, plain lines elsewhere."""

import math
import sys
import time
from types import TracebackType
from typing import Any, TextIO

from rich import progress as rich_progress
from rich.console import Console
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Reports how far a loop has come, on standard error.

    Use it as a context manager and call `advance` after each piece of work:

        with Progress(len(images), "converting", unit="images") as bar:
            for image in images:
                bar.advance(note=f"loss {loss:.3f}")
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        unit: str = "steps",
        done: int = 0,
        stream: TextIO | None = None,
        each: tuple[int, str] | None = None,
    ) -> None:
        """Prepares the report.

        Args:
          total: pieces of work in all, or None when that is not known.
          label: what is being done, for example `"converting"`.
          unit: what is counted, in the plural.
          done: pieces that an earlier run has already done; they do not count for the rate.
          stream: where to write, standard error by default.
          each: how much of what else a piece is, such as the images of a batch: its rate is shown,
            too, and is that of the pieces times so many.
        """
        self._each = each
        self.done = done
        self._total, self._label, self._unit = total, label, unit
        self._first = self._timed_from = done
        self._stream = stream or sys.stderr
        self._note = ""
        self._printed: int | None = None
        self._started = self._timed_since = self._last_line = time.monotonic()
        self._live: rich_progress.Progress | None = None

    def __enter__(self) -> "Progress":
        """Starts the clock, and the live bar on a terminal."""
        self._started = self._timed_since = self._last_line = time.monotonic()
        if self._stream.isatty():
            self._live = self._live_bar()
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the live bar, or prints the last plain line when the work came to its end."""
        if self._live is not None:
            self._live.stop()
        elif kind is None and self.done != self._printed:
            self._print_line()

    def advance(self, count: int = 1, note: str | None = None) -> None:
        """Counts finished work and shows it.

        Args:
          count: pieces of work finished since the last call.
          note: short text that stays beside the figures until the next one, such as a loss.
        """
        if self.done == self._first and count:  # The first piece holds what is done only once.
            self._timed_since, self._timed_from = time.monotonic(), self.done + count
        self.done += count
        self._note = self._note if note is None else note
        if self._live is not None:
            task = self._live.task_ids[0]
            self._live.update(task, advance=count, figures=self._figures())
        elif time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._print_line()

    def note(self, text: str) -> None:
        """Shows a text beside the figures, such as what goes on without anything being counted."""
        self.advance(0, text)

    def say(self, text: str) -> None:
        """Prints a line on standard output."""
        print(text, flush=True)

    def _figures(self) -> str:
        """Count, rate, time left and note, for example `64/512 images, 8.0/s, 56 s left`."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        ended = self._total is None or self.done >= self._total
        rate = (self.done - self._first) / seconds if ended else self._rate()
        count = f"{self.done:,}" if self._total is None else f"{self.done:,}/{self._total:,}"
        parts = [f"{count} {self._unit}"] + ([f"{_rounded(rate)}/s"] if rate else [])
        if rate and self._each:
            parts.append(f"{_rounded(rate * self._each[0])} {self._each[1]}/s")
        if self._total is None:
            parts.append(f"{duration(seconds)} so far")
        elif ended:
            parts.append(f"took {duration(seconds)}")
        elif rate:
            parts.append(f"{duration(self.seconds_left(self._total - self.done))} left")
        return ", ".join(parts + ([self._note] if self._note else []))

    def seconds_left(self, pieces: int) -> float:
        """Returns how long so many more pieces will take, infinite while that cannot be told."""
        rate = self._rate()
        return pieces / rate if rate else math.inf

    def _rate(self) -> float:
        """Pieces a second since the first piece, which may hold much that is done only once."""
        seconds = max(time.monotonic() - self._timed_since, 1e-9)
        return max(self.done - self._timed_from, 0) / seconds

    def _print_line(self) -> None:
        self._last_line, self._printed = time.monotonic(), self.done
        print(f"{self._label}: {self._figures()}", file=self._stream, flush=True)

    def _live_bar(self) -> rich_progress.Progress:
        console = Console(file=self._stream)
        columns: list[Any] = [rich_progress.TextColumn("{task.description}"), _FiguresColumn()]
        if self._total is not None:
            columns.insert(1, rich_progress.BarColumn(bar_width=24))
        live = rich_progress.Progress(*columns, console=console)
        live.add_task(self._label, total=self._total, completed=self.done, figures=self._figures())
        return live


class NoProgress:
    """Takes the place of a `Progress` where nobody is told."""

    def advance(self, count: int = 1, note: str | None = None) -> None:
        """Counts nothing."""

    def note(self, text: str) -> None:
        """Shows nothing."""

    def say(self, text: str) -> None:
        """Prints nothing."""


class _FiguresColumn(rich_progress.ProgressColumn):
    """The count, rate, time left and note, as plain text."""

    def render(self, task: rich_progress.Task) -> Text:
        return Text(task.fields["figures"])


def duration(seconds: float) -> str:
    """Writes a time in the two units that matter, for example `56 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 2 * 24 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // (24 * 3600)} days {whole % (24 * 3600) // 3600} h"


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
