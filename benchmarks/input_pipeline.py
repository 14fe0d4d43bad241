"""Images per second of the input pipeline against bare decoding and resizing.

    python -m benchmarks.input_pipeline

The bare pipeline holds the same JPEG files in memory and does nothing but decode, resize and
batch, in parallel. Ours reads records from a shard, samples, mirrors, composes and labels.
Rounds alternate between the pipelines and the table shows each one's best: images per second by
the clock, and processor time per image, which a busy machine disturbs less. Ratios are to `bare`.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks._records import bare, make_folder
from tfreid.inputs import (
    ColourJitter,
    InputSpec,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
    training_batches,
)
from tfreid.records import Records

_IMAGES = flags.DEFINE_integer("images", 2048, "Records in the data set.", lower_bound=64)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 1.5, "Time of each measurement.", lower_bound=0.1)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Measurements of each pipeline.", lower_bound=1)

_OUTPUT_SIZES_PX = ((144, 56), (96, 96), (384, 128))

PIPELINES = {
    "plain": {},
    "mirrored": {"augmentation": (Mirror(0.5),)},
    "mirrored, person-by-image": {"augmentation": (Mirror(0.5),), "images_per_person": 4},
    "mirrored, person-by-image over cameras": {
        "augmentation": (Mirror(0.5),),
        "images_per_person": 4,
        "spread_cameras": True,
    },
    "mirrored, with mask": {"augmentation": (Mirror(0.5),), "mask_vocabulary": "regions4"},
    "mirrored, random background 0.5": {"augmentation": (RandomBackground(0.5), Mirror(0.5))},
    "mirrored, padded crop": {"augmentation": (Mirror(0.5), PaddedCrop(1.0, 10))},
    "mirrored, erased 0.5": {"augmentation": (Mirror(0.5), RandomErasing(0.5))},
    "mirrored, colour jitter": {"augmentation": (Mirror(0.5), ColourJitter(1.0, 0.2, 0.2, 0.2))},
    "random background 1.0": {"variant": "random_background"},
    "mean background": {"variant": "mean_background"},
}


def pipelines(
    folder: Records, files: list[tuple[bytes, bytes]], size_px: tuple[int, int]
) -> dict[str, Callable[[], tf.data.Dataset]]:
    """Returns what makes the bare pipeline and each of ours."""
    images = [(image,) for image, _ in files]
    makers = {
        "bare": partial(bare, images, size_px, _BATCH_SIZE.value),
        "bare, with mask decoded": partial(bare, files, size_px, _BATCH_SIZE.value),
    }
    for name, values in PIPELINES.items():
        spec = InputSpec(size_px, **values)
        makers[name] = partial(training_batches, folder, "train", spec, _BATCH_SIZE.value, seed=0)
    return makers


def measure(batches: Iterator, seconds: float) -> tuple[float, float]:
    """Returns seconds by the clock and of the processor that an iterator takes for a batch."""
    count, clock, processor = 0, time.perf_counter(), time.process_time()
    while (taken := time.perf_counter() - clock) < seconds:
        next(batches)
        count += 1
    return taken / count, (time.process_time() - processor) / count


def best_times(pipelines: dict[str, Callable[[], tf.data.Dataset]]) -> dict[str, np.ndarray]:
    """Returns clock and processor time of an image, in seconds, each pipeline's least."""
    best = {name: np.full(2, np.inf) for name in pipelines}
    for _ in range(_ROUNDS.value):
        for name, make in pipelines.items():
            batches = iter(make())
            measure(batches, 0.3 * _SECONDS.value)  # fills the buffers
            times = np.array(measure(batches, _SECONDS.value)) / _BATCH_SIZE.value
            best[name] = np.minimum(best[name], times)
    return best


def main() -> None:
    """Runs the benchmark and prints a table."""
    root = Path(tempfile.mkdtemp())
    try:
        folder, files = make_folder(root, _IMAGES.value)
        print("| output (px) | pipeline | images/s | ratio | CPU µs/image | ratio |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
        for size_px in _OUTPUT_SIZES_PX:
            best = best_times(pipelines(folder, files, size_px))
            for name, times in best.items():
                clock, processor = best["bare"] / times
                print(
                    f"| {size_px[0]}x{size_px[1]} | {name} | {1 / times[0]:,.0f} | {clock:.2f} "
                    f"| {1e6 * times[1]:.0f} | {processor:.2f} |",
                    flush=True,
                )
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    command.run(main)
