"""Progress of long work: a live bar on a terminal, plain lines elsewhere."""

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
    ) -> None:
        """Prepares the report.

        Args:
          total: pieces of work in all, or None when that is not known.
          label: what is being done, for example `"converting"`.
          unit: what is counted, in the plural.
          done: pieces that an earlier run has already done; they do not count for the rate.
          stream: where to write, standard error by default.
        """
        self.done = done
        self._total, self._label, self._unit = total, label, unit
        self._first = done
        self._stream = stream or sys.stderr
        self._note = ""
        self._printed: int | None = None
        self._started = self._last_line = time.monotonic()
        self._live: rich_progress.Progress | None = None

    def __enter__(self) -> "Progress":
        """Starts the clock, and the live bar on a terminal."""
        self._started = self._last_line = time.monotonic()
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
        self.done += count
        self._note = self._note if note is None else note
        if self._live is not None:
            task = self._live.task_ids[0]
            self._live.update(task, advance=count, figures=self._figures())
        elif time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._print_line()

    def _figures(self) -> str:
        """Count, rate, time left and note, for example `64/512 images, 8.0/s, 56 s left`."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = (self.done - self._first) / seconds
        count = f"{self.done:,}" if self._total is None else f"{self.done:,}/{self._total:,}"
        parts = [f"{count} {self._unit}", f"{_rounded(rate)}/s"]
        if self._total is None:
            parts.append(f"{duration(seconds)} so far")
        elif self.done >= self._total:
            parts.append(f"took {duration(seconds)}")
        elif rate > 0:
            parts.append(f"{duration((self._total - self.done) / rate)} left")
        return ", ".join(parts + ([self._note] if self._note else []))

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
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
