"""Images per second of the input pipeline against bare decoding and resizing.

    python -m benchmarks.input_pipeline

The bare pipeline holds the same JPEG files in memory and does nothing but decode, resize and
batch, in parallel. Ours reads records from a shard, samples, mirrors, composes and labels.
Rounds alternate between the pipelines and the table shows each one's best: images per second by
the clock, and processor time per image, which a busy machine disturbs less. Ratios are to `bare`.
"""

import io
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
from PIL import Image

from tfrecords_schema import schema
from tfreid.inputs import (
    ColourJitter,
    InputSpec,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
    training_batches,
)
from tfreid.records import Records, RecordsInfo, SplitInfo, framing
from tfreid.records.records import shard_name

_IMAGES = flags.DEFINE_integer("images", 2048, "Records in the data set.", lower_bound=64)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 1.5, "Time of each measurement.", lower_bound=0.1)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Measurements of each pipeline.", lower_bound=1)

_SIZE_PX = (128, 64)
_OUTPUT_SIZES_PX = ((144, 56), (96, 96), (384, 128))
_IMAGES_PER_PERSON = 16
_CAMERAS = 4

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


def encode(pixels: np.ndarray, file_format: str) -> bytes:
    """Returns an image file's bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format)
    return buffer.getvalue()


def draw(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns an image that compresses like a photograph, and a mask of ten classes."""
    rng = np.random.default_rng([index])
    coarse = Image.fromarray(rng.integers(0, 256, (16, 8, 3), np.uint8))
    smooth = np.asarray(coarse.resize(_SIZE_PX[::-1], Image.Resampling.BICUBIC), np.float32)
    image = np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)
    mask = np.zeros(_SIZE_PX, np.uint8)
    mask[16:116, 16:48] = np.repeat(rng.integers(1, 20, 10), 10)[:, None]
    return image, mask


def make_folder(out: Path, count: int) -> tuple[Records, list[tuple[bytes, bytes]]]:
    """Writes a converted data set with 100 backgrounds; returns its JPEG and PNG files as well."""
    files, records = [], []
    for index in range(count):
        image, mask = draw(index)
        files.append((encode(image, "JPEG"), encode(mask, "PNG")))
        values = {
            "image/encoded": files[-1][0],
            "image/key": f"benchmark/{index}",
            "image/height": _SIZE_PX[0],
            "image/width": _SIZE_PX[1],
            "person/id": 1 + index // _IMAGES_PER_PERSON,
            "person/label": index // _IMAGES_PER_PERSON,
            "camera/id": 1 + index % _CAMERAS,
            "camera/label": index % _CAMERAS,
            "dataset/name": "benchmark",
            "dataset/split": "train",
            "mask/encoded": files[-1][1],
            "mask/vocabulary": "lip20",
        }
        records.append(framing.frame(schema.encode("reid", values)))
    (out / shard_name("benchmark", "train", 0, 1)).write_bytes(b"".join(records))
    (out / "backgrounds").mkdir()
    for index in range(100):
        scene = Image.fromarray(draw(index)[0]).resize((320, 240))
        scene.save(out / "backgrounds" / f"{index:03d}.jpg")
    persons = 1 + (count - 1) // _IMAGES_PER_PERSON
    RecordsInfo(
        name="benchmark",
        kind="reid",
        schema_version=schema.version("reid"),
        splits={"train": SplitInfo(count, persons, _CAMERAS, 1, count)},
        num_persons=persons,
        num_cameras=_CAMERAS,
        mean_pixel=(127.0, 127.0, 127.0),
        mask_vocabulary="lip20",
        synthetic=True,
        fingerprint="0",
        person_labels={},
        camera_labels={},
        made_by={},
    ).write(out)
    return Records(out), files


def bare(files: list[tuple[bytes, ...]], size_px: tuple[int, int]) -> tf.data.Dataset:
    """Decodes, resizes and batches files in memory: JPEGs, or pairs of a JPEG and a PNG mask."""

    def prepare(image: tf.Tensor, *mask: tf.Tensor) -> tuple[tf.Tensor, ...]:
        decoded = [tf.io.decode_png(encoded, channels=1) for encoded in mask]
        return (tf.image.resize(tf.io.decode_jpeg(image, channels=3), size_px), *decoded)

    dataset = tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*files, strict=True))))
    dataset = dataset.repeat().map(prepare, tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(_BATCH_SIZE.value, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def pipelines(
    folder: Records, files: list[tuple[bytes, bytes]], size_px: tuple[int, int]
) -> dict[str, Callable[[], tf.data.Dataset]]:
    """Returns what makes the bare pipeline and each of ours."""
    images = [(image,) for image, _ in files]
    makers = {
        "bare": partial(bare, images, size_px),
        "bare, with mask decoded": partial(bare, files, size_px),
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
            measure(batches, 0.3 * _SECONDS.value)  # lets autotuning settle
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
