"""The embedded synthetic data set, drawn and converted on first use."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tfreid.errors import DataError


def run_command(name: str, arguments: Sequence[str]) -> None:
    """Runs a command of the package in a process of its own, after printing it.

    Raises:
      DataError: if it fails; it has said why.
    """
    print(f"\n$ python -m {shlex.join([name, *arguments])}", flush=True)
    status = subprocess.run([sys.executable, "-m", name, *arguments], check=False).returncode
    if status:
        raise DataError(f"{name} ended with exit code {status}; what it printed says why")


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
    run_command("tfreid.synthesize", [f"--out={images}", *arguments])
    for dataset, out in (("synthetic", reid), ("lip", parsing)):
        if not out.exists():
            run_command(
                "tfreid.convert",
                [f"--dataset={dataset}", f"--data_root={images}", f"--out={out}"],
            )
    return reid, parsing
