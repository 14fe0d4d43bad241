"""A converted data set for the benchmarks, drawn in memory, and the least that reads it."""

import io
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfrecords_schema import schema
from tfreid.inputs.batches import BATCHES_AHEAD, OPTIONS
from tfreid.records import Records, RecordsInfo, SplitInfo, framing
from tfreid.records.records import shard_name

_SIZE_PX = (128, 64)
_IMAGES_PER_PERSON = 16
_CAMERAS = 4


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
        person_labels={"benchmark": {1 + label: label for label in range(persons)}},
        camera_labels={"benchmark": {1 + label: label for label in range(_CAMERAS)}},
        made_by={},
    ).write(out)
    return Records(out), files


def bare(
    files: list[tuple[bytes, ...]], size_px: tuple[int, int], batch_size: int
) -> tf.data.Dataset:
    """Decodes, resizes and batches files in memory: JPEGs, or pairs of a JPEG and a PNG mask."""

    def prepare(image: tf.Tensor, *mask: tf.Tensor) -> tuple[tf.Tensor, ...]:
        decoded = [tf.io.decode_png(encoded, channels=1) for encoded in mask]
        return (tf.image.resize(tf.io.decode_jpeg(image, channels=3), size_px), *decoded)

    dataset = tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*files, strict=True))))
    dataset = dataset.repeat().map(prepare, tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.batch(batch_size, drop_remainder=True).prefetch(BATCHES_AHEAD)
    return dataset.with_options(OPTIONS)
