"""Throughput of the conversion against a plain loop that writes the same records.

    python -m benchmarks.conversion

Both read and check every image and mask and encode by the schema, and their files are compared.
The plain loop is one process without Beam. Beam's figures contain its start-up, except in the
last line, where the time to convert a handful of images is taken off; imports of the main process
never count. Rounds alternate and the table shows each one's best: records per second by the
clock, and processor time per record, which a busy machine disturbs less.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import numpy as np
import PIL.Image
from absl import flags

from tfreid.datasets import Reading, Row, rows_of
from tfreid.records import ImageSet, conversion, framing, shards, sources, tfds_metadata

_IMAGES = flags.DEFINE_integer("images", 10_000, "Images to convert, with masks.", lower_bound=100)
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 2, "Measurements of each.", lower_bound=1)

_SIZE_PX = (128, 64)
_HANDFUL = 8

Seconds = tuple[float, float]
"""Time by the clock, and processor time of this process and its children."""


def make_data(root: Path, images: int) -> list[Row]:
    """Writes smooth random images and striped masks in the Market-1501 layout."""
    rng = np.random.default_rng(0)
    for number in range(images):
        folder = ("query", "bounding_box_test")[number] if number < 2 else "bounding_box_train"
        name = f"{1 + number % 100:04d}_c{1 + number % 6}s1_{number:06d}_00"
        coarse = rng.integers(0, 256, (16, 8, 3), np.uint8)
        image = PIL.Image.fromarray(coarse).resize(_SIZE_PX[::-1], PIL.Image.Resampling.BICUBIC)
        mask = np.zeros(_SIZE_PX, np.uint8)
        mask[16:112, 16:48] = np.repeat(rng.integers(1, 20, 12), 8)[:, None]
        for path, picture in (
            (root / "market1501" / folder / f"{name}.jpg", image),
            (root / "masks" / folder / f"{name}.png", PIL.Image.fromarray(mask)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
    return rows_of("market1501", root / "market1501", root / "masks")


def plan_of(rows: list[Row]) -> sources.ConversionPlan:
    """Returns what to convert."""
    return sources.plan(
        [ImageSet("market1501", given=Reading(rows), mask_vocabulary="lip20")], 4, 0, 0
    )


def plain_loop(plan: sources.ConversionPlan, out: Path) -> None:
    """Writes the same shards in one process, without Beam."""
    out.mkdir()
    job = shards.ConversionJob(str(out), plan.kind, (), 0, plan.mask_vocabulary)
    for split in plan.shards.values():
        for name, entries in split.items():
            with (out / name).open("wb") as file:
                for entry in entries:
                    record, _ = shards.make_record(entry, job, shards.SplitTally())
                    file.write(framing.frame(record))


def with_beam(plan: sources.ConversionPlan, out: Path, beam_args: tuple[str, ...] = ()) -> None:
    """Converts as the command does."""
    conversion.convert(plan, out, conversion.ConversionOptions(), beam_args=beam_args)


def measure(
    convert: Callable[[sources.ConversionPlan, Path], None], plan: sources.ConversionPlan
) -> Seconds:
    """Times a conversion and removes what it wrote."""
    out = Path(tempfile.mkdtemp()) / "out"
    clock, processor = time.perf_counter(), sum(os.times()[:4])
    convert(plan, out)
    taken = time.perf_counter() - clock, sum(os.times()[:4]) - processor
    shutil.rmtree(out.parent)
    return taken


def check_same_files(plan: sources.ConversionPlan, root: Path) -> None:
    """Converts with both and compares; it also reads every file once before the measurements."""
    plain_loop(plan, root / "plain")
    with_beam(plan, root / "beam")
    for path in (root / "plain").iterdir():
        assert path.read_bytes() == (root / "beam" / path.name).read_bytes(), path.name


def main() -> None:
    """Runs the benchmark and prints a table."""
    assert tfds_metadata  # imported here so that it does not count
    workers = ("--direct_running_mode=multi_processing", f"--direct_num_workers={_WORKERS.value}")
    root = Path(tempfile.mkdtemp())
    rows = make_data(root, _IMAGES.value)
    plan, handful = plan_of(rows), plan_of(rows[:_HANDFUL])
    check_same_files(plan, root)
    in_workers = partial(with_beam, beam_args=workers)
    cases = {
        "plain loop": (plain_loop, plan),
        "Beam in process": (with_beam, plan),
        f"Beam, {_WORKERS.value} worker processes": (in_workers, plan),
        "start-up": (in_workers, handful),
    }
    rounds = [{name: measure(*case) for name, case in cases.items()} for _ in range(_ROUNDS.value)]
    best = {name: np.min([times[name] for times in rounds], axis=0) for name in cases}
    best[f"Beam, {_WORKERS.value} worker processes, after start-up"] = best[
        f"Beam, {_WORKERS.value} worker processes"
    ] - best.pop("start-up")
    shutil.rmtree(root)
    print("| conversion | records/s | ratio | processor ms/record | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (clock, processor) in best.items():
        ratios = best["plain loop"] / (clock, processor)
        print(
            f"| {name} | {len(rows) / clock:,.0f} | {ratios[0]:.2f} "
            f"| {1000 * processor / len(rows):.2f} | {ratios[1]:.2f} |"
        )


if __name__ == "__main__":
    command.run(main)
