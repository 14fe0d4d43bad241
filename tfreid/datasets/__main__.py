"""List the data sets that can be read, or check one as it lies on the disk.

python -m tfreid.datasets
python -m tfreid.datasets --check=market1501 --data_root=/data/Market-1501-v15.09.15
python -m tfreid.datasets --check=cuhk03:labeled,classic --data_root=/data --split_index=3

A check counts images, persons and cameras, compares them with the published counts, opens every
file and names what would spoil training or evaluation. It exits with 0 when nothing is worse
than a warning and with 1 when files cannot be read.
"""

import logging
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, fields

from absl import flags

from tfreid.cli import command
from tfreid.datasets import (
    DATASETS,
    PROTOCOLS,
    VOCABULARIES,
    Dataset,
    Reading,
    SplitChoice,
    SplitCounts,
    parse_name,
    read_dataset,
)
from tfreid.datasets.check import (
    Problem,
    count_splits,
    differences_of,
    file_problems,
    passed_over_problems,
    protocol_problems,
)
from tfreid.datasets.files import LARGEST_LIMIT_MPX, MAX_IMAGE_MPX
from tfreid.datasets.layout import printable

_CHECK = flags.DEFINE_string(
    "check", None, "Data set to check, as NAME[:CHOICE,...]; without it, all are listed."
)
_DATA_ROOT = flags.DEFINE_string("data_root", None, "Its folder, or the parent of that.")
_MASKS_ROOT = flags.DEFINE_string(
    "masks_root", None, "Folder of masks to check with it; mirrors the images' relative paths."
)
_MASK_VOCABULARY = flags.DEFINE_enum(
    "mask_vocabulary", None, list(VOCABULARIES), "Classes of the masks, where they are not known."
)
_SPLIT_SEED = flags.DEFINE_integer(
    "split_seed", None, "Seed of the splits, for a data set that draws them."
)
_SPLIT_INDEX = flags.DEFINE_integer(
    "split_index", None, "Which split, from 0, for a data set that has several.", lower_bound=0
)
_MAX_IMAGE_MPX = flags.DEFINE_float(
    "max_image_mpx",
    MAX_IMAGE_MPX,
    "Megapixels of the largest image.",
    lower_bound=0.001,
    upper_bound=LARGEST_LIMIT_MPX,
)
_MAX_NAMED = flags.DEFINE_integer("max_named", 10, "Names shown for each problem.", lower_bound=1)

_MAX_WIDTH = 100
_COLUMNS = ("split", *(field.name for field in fields(SplitCounts)))


def main() -> int:
    """Lists or checks; returns the exit status."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("tfreid").setLevel(logging.INFO)
    if _CHECK.value is None:
        print(_listing())
        return 0
    dataset, _ = parse_name(_CHECK.value)
    asked = SplitChoice(_SPLIT_SEED.value, _SPLIT_INDEX.value)
    split = None if asked == SplitChoice() else asked
    return _check(dataset, read_dataset(_CHECK.value, _DATA_ROOT.value, _MASKS_ROOT.value, split))


def _listing() -> str:
    """Describes every data set in a few lines that fit the terminal."""
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    lines = []
    for dataset in DATASETS.values():
        lines.append(f"{dataset.name}: {dataset.title}")
        choices = [" or ".join(values) for values in dataset.options.values()]
        entries = {
            "choices": ", ".join(choices),
            "obtain": dataset.obtain,
            "licence": dataset.licence,
        }
        for label, text in entries.items():
            lines += textwrap.wrap(
                text,
                width,
                initial_indent=f"  {label:9}",
                subsequent_indent=" " * 11,
                break_on_hyphens=False,
            )
    check = "Check one: python -m tfreid.datasets --check=NAME --data_root=FOLDER"
    return "\n".join([*lines, "", *textwrap.wrap(check, width, break_on_hyphens=False)])


def _check(dataset: Dataset, reading: Reading) -> int:
    rows = reading.rows
    counts = count_splits(dataset, rows)
    print(f"{dataset.title}\n\n{_table(counts)}\n")
    if dataset.kind == "reid":
        print(f"protocol {reading.protocol}: {PROTOCOLS[reading.protocol].summary}")
    if reading.split:
        print(reading.split)
    for reason, images in reading.excluded.items():
        print(f"left out: {images:,} images, {reason}")
    unlike = differences_of(dataset, reading)
    if unlike:
        print(f"WARNING: these are not the published counts of {dataset.name}:")
        print("\n".join(f"  {line}" for line in unlike))
    problems = passed_over_problems(reading)
    problems += protocol_problems(rows, reading.person_names) if dataset.kind == "reid" else []
    vocabulary = _MASK_VOCABULARY.value or dataset.mask_vocabulary
    num_classes = len(VOCABULARIES[vocabulary]) if vocabulary else None
    with command.progress(len(rows), "opening files", unit="images") as bar:
        problems += file_problems(rows, num_classes, bar.advance, _MAX_IMAGE_MPX.value)
    for problem in problems:
        print(_as_text(problem))
    has_errors = any(problem.is_error for problem in problems)
    num_warnings = sum(not problem.is_error for problem in problems) + bool(unlike)
    print(f"{len(rows):,} images checked: {_verdict(problems, num_warnings)}")
    return int(has_errors)


def _table(counts: dict[str, SplitCounts]) -> str:
    """Aligns the counts; a column that no split has is left out."""
    cells = [_COLUMNS]
    for split, count in counts.items():
        values = asdict(count).values()
        cells.append((split, *("" if value is None else f"{value:,}" for value in values)))
    columns = [column for column in zip(*cells, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  " + "  ".join(map(str.rjust, line, widths)) for line in zip(*columns, strict=True)
    )


def _as_text(problem: Problem) -> str:
    level = "ERROR" if problem.is_error else "WARNING"
    if not problem.names:
        return f"{level}: {problem.title}"
    shown = problem.names[: _MAX_NAMED.value]
    lines = [f"{level}: {problem.title}: {len(problem.names):,}"]
    lines += [f"  {printable(name)}" for name in shown]
    if len(problem.names) > len(shown):
        lines.append(f"  ... and {len(problem.names) - len(shown):,} more (--max_named)")
    return "\n".join(lines)


def _verdict(problems: Sequence[Problem], num_warnings: int) -> str:
    errors = [
        f"{problem.title}: {len(problem.names):,}" for problem in problems if problem.is_error
    ]
    warnings = [f"warnings: {num_warnings}"] if num_warnings else []
    return ", ".join(errors + warnings) or "no problem found"


_NEEDS = {
    "data_root": "check",
    "masks_root": "check",
    "mask_vocabulary": "masks_root or check=csv",
    "split_seed": "check",
    "split_index": "check",
    "max_image_mpx": "check",
    "max_named": "check",
    "check": "data_root",
}

if __name__ == "__main__":
    command.run(main, needs=_NEEDS, reads=("data_root", "masks_root"))
