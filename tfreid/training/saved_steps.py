"""Which checkpoints lie in a folder, and the newest of them that can be read."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from tfreid.errors import DataError
from tfreid.files import write_text

_NAMED = re.compile(r"ckpt-(\d+)")
_FILE = re.compile(r"ckpt-(\d+)\.(index|data-\d{5}-of-\d{5})")
_HALF_WRITTEN = re.compile(r"ckpt-\d+_temp")


def saved_steps(folder: Path) -> list[int]:
    """Returns the steps of which a checkpoint, or a part of one, is there or is said to be there.

    Args:
      folder: where the checkpoints lie; it need not be there.

    Returns:
      The steps, the newest first.
    """
    found = [_FILE.fullmatch(path.name) for path in folder.glob("ckpt-*")]
    state = folder / "checkpoint"
    text = state.read_text(encoding="utf-8", errors="replace") if state.is_file() else ""
    return sorted({int(match[1]) for match in (*filter(None, found), *_NAMED.finditer(text))})[::-1]


def newest_checkpoint(folder: Path) -> str | None:
    """Finds the newest checkpoint that is whole: every value in it is read, and its checksum.

    TensorFlow's own list of checkpoints is not trusted, as it may be damaged too; and it goes on
    without a word where the list is missing.

    Args:
      folder: where the checkpoints lie.

    Returns:
      Its path as TensorFlow takes it; None if there has never been one. A warning names those
      that are damaged and the one that is taken in their place.

    Raises:
      DataError: if there are checkpoints and none is whole.
    """
    faults: dict[int, str] = {}
    for step in saved_steps(folder):
        path = str(folder / f"ckpt-{step}")
        fault = _fault(path)
        if fault is None:
            if faults:
                print(
                    f"warning: {_listed(folder, faults)}: taking the one before, {path}",
                    file=sys.stderr,
                )
            return path
        faults[step] = fault
    if faults or (folder / "checkpoint").exists():
        said = _listed(folder, faults) or f"{folder}/checkpoint names none"
        raise DataError(
            f"no checkpoint in {folder} can be read ({said}): put a copy of one back, or move the "
            "folder of the run away to train anew"
        )
    return None


def list_up_to(folder: Path, newest: int) -> None:
    """Writes TensorFlow's list of checkpoints, in its own form, up to the step of the newest."""
    lines = [f'model_checkpoint_path: "ckpt-{newest}"']
    for step in reversed(saved_steps(folder)):
        index = folder / f"ckpt-{step}.index"
        if step <= newest and index.exists():
            lines.append(f'all_model_checkpoint_paths: "ckpt-{step}"')
            lines.append(f"all_model_checkpoint_timestamps: {index.stat().st_mtime}")
    write_text(folder / "checkpoint", "\n".join(lines) + "\n")


def remove_half_written(folder: Path) -> None:
    """Removes what a process that was killed while saving left behind.

    Args:
      folder: where the checkpoints lie, in a run that this process has claimed.
    """
    for place in folder.glob("ckpt-*_temp"):
        is_ours = _HALF_WRITTEN.fullmatch(place.name) and not place.is_symlink() and place.is_dir()
        if is_ours and all(path.name.startswith("part-") for path in place.iterdir()):
            shutil.rmtree(place, ignore_errors=True)


def _listed(folder: Path, faults: dict[int, str]) -> str:
    return "; ".join(
        f"the checkpoint {folder}/ckpt-{step} is damaged, {fault}" for step, fault in faults.items()
    )


def _fault(path: str) -> str | None:
    """What is wrong with a checkpoint, in a few words; None if nothing is."""
    index = Path(f"{path}.index")
    if not index.is_file():
        return f"{index.name} is missing"
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    # The reader has all of these for files that are short or changed; the last for absurd sizes.
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError, OSError, MemoryError) as error:
        return next(_lines(error), type(error).__name__)
    return None


def _lines(error: Exception) -> Iterator[str]:
    text = getattr(error, "message", None) or str(error)
    yield from filter(None, map(str.strip, str(text).splitlines()))
