"""The embedded synthetic data set, drawn and converted on first use."""

import contextlib
import fcntl
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfreid.cli.command import MISUSE
from tfreid.cli.interrupts import INTERRUPTED, TERMINATED
from tfreid.errors import DataError, UsageError

_ONLY_OCCLUDED = ("--occluded_persons=200", "--persons=1", "--lip_images=2", "--backgrounds=1")


def run_command(name: str, arguments: Sequence[str], passes_on: bool = False) -> None:
    """Runs a command of the package in a process of its own, after printing it.

    Stopped by Ctrl-C, which a terminal sends to both, or by SIGTERM, which is passed on, it ends in
    its own way first.

    Args:
      name: its module.
      arguments: its flags.
      passes_on: whether to end with its exit code if it fails, without another word.

    Raises:
      UsageError: if it was misused; it has said how.
      DataError: if it fails otherwise; it has said why.
      SystemExit: with its exit code, if it said that it was stopped, or fails and that is passed
        on.
    """
    print(f"\n$ python -m {shlex.join([name, *arguments])}", flush=True)
    with subprocess.Popen([sys.executable, "-m", name, *arguments]) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            status = process.wait()
        except KeyboardInterrupt:
            if process.wait() == INTERRUPTED:
                raise SystemExit(INTERRUPTED) from None
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
    if status in (-signal.SIGTERM, TERMINATED):
        raise SystemExit(TERMINATED)
    if status and passes_on:
        raise SystemExit(status)
    if status:
        error = UsageError if status == MISUSE else DataError
        raise error(f"{name} ended with exit code {status}; what it printed says why")


def ensure(path: str | Path, arguments: Sequence[str] = ()) -> tuple[Path, Path]:
    """Draws and converts the data set where that is not done yet.

    Images that are there are kept if they were drawn with the same flags, and refused otherwise.

    Args:
      path: folder for the images (`images/`) and the converted records (`reid/`, `parsing/`).
      arguments: further flags of `tfreid.synthesize`.

    Returns:
      The converted folders of the re-identification and of the parsing records.

    Raises:
      DataError: if a step fails.
    """
    path = Path(path)
    images, reid, parsing = path / "images", path / "reid", path / "parsing"
    with _claimed(path):
        run_command("tfreid.synthesize", [f"--out={images}", *arguments])
        _convert("synthetic", images, reid)
        _convert("lip", images, parsing)
    return reid, parsing


def ensure_copies(path: str | Path, copies: int) -> Path:
    """Converts the data set with copies of its training images on random backgrounds.

    Args:
      path: as for `ensure`, which has drawn the images.
      copies: of each training image.

    Returns:
      The converted folder.

    Raises:
      DataError: if the conversion fails.
    """
    path = Path(path)
    out = path / f"reid_{copies}_copies"
    with _claimed(path):
        _convert("synthetic", path / "images", out, f"--offline_random_background={copies}")
    return out


def ensure_occluded(path: str | Path, arguments: Sequence[str] = ()) -> Path:
    """Draws and converts the occluded probes of the data set's world, none of its other persons.

    They are more than `ensure` draws, whose 40 are too few to tell models apart: with five images a
    person, the standard error of rank-1 is 4 points then, and 1.5 here.

    Args:
      path: folder for the images (`occluded_images/`) and the converted records (`occluded/`).
      arguments: as for `ensure`, which draws the persons to train on.

    Returns:
      The converted folder.

    Raises:
      DataError: if a step fails.
    """
    path = Path(path)
    images, out = path / "occluded_images", path / "occluded"
    flags = {flag.partition("=")[0]: flag for flag in (*_ONLY_OCCLUDED, *arguments)}
    with _claimed(path):
        run_command("tfreid.synthesize", [f"--out={images}", *flags.values()])
        _convert("occluded_reid", images, out)
    return out


def _convert(dataset: str, images: Path, out: Path, *arguments: str) -> None:
    if not out.exists():
        run_command(
            "tfreid.convert",
            [f"--dataset={dataset}", f"--data_root={images}", f"--out={out}", *arguments],
        )


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Lets other processes that need the same data wait until they are there."""
    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
