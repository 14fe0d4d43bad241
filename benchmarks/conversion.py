"""Throughput of the conversion against a plain loop that writes the same records.

    python -m benchmarks.conversion --images=10000

Both check every image and mask and encode by the schema; the plain loop is one process without
Beam. Start-up of worker processes is part of the figures; imports of the main process are not.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
from absl import flags

from tfreid import command
from tfreid.datasets import rows_of
from tfreid.records import conversion, framing, shards, sources, tfds_metadata

_IMAGES = flags.DEFINE_integer("images", 10_000, "Images to convert, with masks.", lower_bound=12)
_WORKERS = flags.DEFINE_integer("workers", 2, "Worker processes of the third line.", lower_bound=1)

_SIZE_PX = (128, 64)


def make_data(root: Path, images: int) -> sources.Plan:
    """Writes images and masks in the Market-1501 layout."""
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
    rows = rows_of("market1501", root / "market1501", root / "masks")
    return sources.plan([sources.Source("market1501", "reid", rows, "lip20")], 4, 0, 0)


def plain_loop(plan: sources.Plan, out: Path) -> None:
    """Writes the same shards in one process, without Beam."""
    out.mkdir()
    job = shards.Job(str(out), plan.kind, (), 0)
    for split in plan.shards.values():
        for name, entries in split.items():
            with (out / name).open("wb") as file:
                for entry in entries:
                    record = shards.make_record(entry, job, shards.SplitTally())
                    file.write(framing.frame(record))


def with_beam(plan: sources.Plan, out: Path, *beam_args: str) -> None:
    """Converts as the command does."""
    conversion.convert(plan, out, conversion.Options(), beam_args=beam_args)


def seconds(work: Callable[..., None], *arguments: object) -> float:
    """Returns how long some work took."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def main() -> None:
    """Runs the benchmark and prints a table."""
    workers = f"--direct_num_workers={_WORKERS.value}"
    root = Path(tempfile.mkdtemp())
    assert tfds_metadata  # imported above, so that it does not count
    try:
        plan = make_data(root, _IMAGES.value)
        plain_loop(plan, root / "warm")  # reads every file once
        times = {
            "plain loop": seconds(plain_loop, plan, root / "plain"),
            "Beam, in process": seconds(with_beam, plan, root / "beam"),
            f"Beam, {_WORKERS.value} worker processes": seconds(
                with_beam, plan, root / "workers", "--direct_running_mode=multi_processing", workers
            ),
        }
    finally:
        shutil.rmtree(root)
    print("| conversion | records/s | ratio to plain loop |\n| --- | ---: | ---: |")
    for name, taken in times.items():
        print(f"| {name} | {_IMAGES.value / taken:,.0f} | {times['plain loop'] / taken:.2f} |")


if __name__ == "__main__":
    command.run(main)
