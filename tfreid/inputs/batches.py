"""Batches for training and evaluation, each a pure function of (seed, step) or of the record."""

import contextlib
import math
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfrecords_schema import schema
from tfreid.errors import DataError
from tfreid.inputs.backgrounds import Backgrounds, load_backgrounds
from tfreid.inputs.checks import check_folder, refuse_undecodable, training_sampler
from tfreid.inputs.prepare import DRAWS, Preparation
from tfreid.inputs.sampling import Purpose
from tfreid.inputs.spec import InputSpec
from tfreid.records import Records
from tfreid.records.own_backgrounds import owner_of

# Name in a batch: name in a record.
_COLUMNS = {
    "key": "image/key",
    "label": "person/label",
    "camera": "camera/label",
    "person_id": "person/id",
    "camera_id": "camera/id",
}
_SEEN = ("person/id", "camera/id")
_TRAINING = ("key", "label", "camera")
_NARROW = ("label", "camera")  # these are counted from 0; IDs are as published, up to 64 bits

# TensorFlow's own choice doubles, to 512, each time that one is waited for after a pause.
BATCHES_AHEAD = 4

OPTIONS = tf.data.Options()
"""Of every data set: workers share each batch, and no thread tunes it while it runs.

To close an iterator waits for that thread, which TensorFlow wakes before it can see that it is to
end: then it sleeps on, for about as long as the iterator was open, up to a minute.
"""
OPTIONS.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
OPTIONS.autotune.enabled = False

Reader = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""Number of a batch -> serialised records, object `[n]`; draws, float64 `[n, draws]`."""


def training_batches(
    folder: Records,
    split: str,
    spec: InputSpec,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    steps: int | None = None,
    part: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Returns training batches; the batch of a step depends on the seed and the step alone.

    Images without mask are left out where each needs one (`spec.needs_every_mask`), and keep their
    background where masks only serve to replace it.

    Starting at `start_step` gives what a run that started at 0 would have seen from there on.
    Under `strategy.experimental_distribute_dataset` each replica gets a contiguous part.

    Args:
      folder: converted data set.
      split: its split, usually `train`.
      spec: how records become images.
      batch_size: images in a (global) batch; may exceed the split.
      seed: of the run, at least 0.
      start_step: step of the first batch.
      steps: number of batches, or None for no end.
      part: `(i, n)`: of each batch only the i-th of n contiguous parts, i from 0; no more is read.

    Returns:
      Dicts: `image` float32 `[batch, height, width, 3]` in [0, 255]; `key` string `[batch]`;
      with a mask vocabulary `mask` int32 `[batch, height, width]`; of re-identification records
      `label` (person) and `camera` int32 `[batch]`.

    Raises:
      UsageError: if the folder does not have what the spec needs.
      DataError: if a shard or a background image is damaged.
    """
    check_folder(folder, split, spec)
    store = folder.store(split)
    sampler = training_sampler(folder, split, spec, batch_size, seed)
    index, parts = part
    part_size = batch_size // parts
    own = slice(index * part_size, (index + 1) * part_size)

    def read(step: int) -> tuple[np.ndarray, np.ndarray]:
        draws = _augmentation_draws(spec, batch_size, seed, step)
        return store.read(sampler(step)[own]), draws[own]

    numbers = tf.data.Dataset.counter(start_step)
    numbers = numbers if steps is None else numbers.take(steps)
    batches = _batches(numbers, read, folder, split, spec, _TRAINING, part_size, training=True)
    return _finish(batches, tf.data.INFINITE_CARDINALITY if steps is None else steps)


def evaluation_batches(
    folder: Records,
    split: str,
    spec: InputSpec,
    batch_size: int,
    seed: int,
    indices: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Returns all records of a split once, in their order, without augmentation.

    Images without mask have no variants but the original: `indices` leaves them out
    (`Records.masked`).

    Random backgrounds (`variant="random_background"`) depend on the seed and the record alone:
    a record gets the same one at any batch size and among any other records.

    Args:
      folder: converted data set.
      split: its split.
      spec: how records become images; its augmentation is ignored.
      batch_size: images in a batch; the last one may hold fewer.
      seed: of the random backgrounds, at least 0.
      indices: int64 `[n]`: the records to return, in this order, instead of all.

    Returns:
      Dicts as of `training_batches`, of re-identification records with `person_id` and
      `camera_id` int64 `[batch]`.

    Raises:
      UsageError: if the folder does not have what the spec needs.
      DataError: if a shard or a background image is damaged.
    """
    spec = replace(spec, augmentation=())
    check_folder(folder, split, spec, indices, every_mask=True)
    read, count = _evaluation_reader(folder, split, batch_size, seed, indices)
    numbers = tf.data.Dataset.range(count)
    batches = _batches(numbers, read, folder, split, spec, tuple(_COLUMNS), batch_size)
    return _finish(batches, count)


def evaluation_images(
    folder: Records, split: str, variant: str, seed: int, indices: np.ndarray
) -> Iterator[np.ndarray]:
    """Yields images as `evaluation_batches` composes them, before they are resized.

    Args:
      folder: converted data set.
      split: its split.
      variant: one of `VARIANTS`.
      seed: of the random backgrounds, at least 0.
      indices: int64 `[n]`: the records to return, in this order.

    Yields:
      uint8 `[height, width, 3]`, rounded where the mean pixel was put in, in the image's own size.

    Raises:
      UsageError, DataError: as `evaluation_batches`.
    """
    spec = InputSpec(image_size_px=(1, 1), variant=variant)
    check_folder(folder, split, spec, indices, every_mask=True)
    read, count = _evaluation_reader(folder, split, 64, seed, indices)
    numbers = tf.data.Dataset.range(count)
    images = _batches(numbers, read, folder, split, spec, (), batch_size=None)
    with data_errors(folder):
        for image in _finish(images).as_numpy_iterator():
            yield np.clip(np.rint(image["image"]), 0, 255).astype(np.uint8)


def _evaluation_reader(
    folder: Records, split: str, batch_size: int, seed: int, indices: np.ndarray | None
) -> tuple[Reader, int]:
    """Returns what reads the records of a batch with their draws, and the number of batches."""
    store = folder.store(split)
    words = [seed, Purpose.EVALUATION, zlib.crc32(split.encode())]
    draws = np.random.default_rng(words).random((len(store), DRAWS))
    wanted = np.arange(len(store)) if indices is None else indices

    def read(number: int) -> tuple[np.ndarray, np.ndarray]:
        batch = wanted[number * batch_size :][:batch_size]
        return store.read(batch), draws[batch]

    return read, math.ceil(len(wanted) / batch_size)


@contextlib.contextmanager
def data_errors(*folders: Records) -> Iterator[None]:
    """Gives a `DataError` raised while a batch is read back its type.

    TensorFlow wraps what Python code raises inside a pipeline into an error of its own; code
    that iterates over batches does so inside `with data_errors():`. It does not say either which
    image it could not decode: that is looked for in `folders`.

    Args:
      folders: converted data sets that the batches come from.

    Raises:
      DataError: naming the damaged shard and the place in it, or the record's key.
    """
    try:
        yield
    except tf.errors.OpError as error:
        found = re.search(r"\bDataError: (.+)", error.message)
        if found is not None:
            raise DataError(found[1]) from None
        if isinstance(error, tf.errors.InvalidArgumentError):
            for folder in folders:
                refuse_undecodable(folder)
        raise


def _augmentation_draws(spec: InputSpec, batch_size: int, seed: int, step: int) -> np.ndarray:
    """Draws for a step, float64 `[batch, draws]`; no operation's depend on which others there are.

    Background and mirror share one stream, every other operation has one of its name.
    """
    words = [seed, Purpose.AUGMENTATION, step]
    draws = [np.random.default_rng(words).random((batch_size, DRAWS))]
    for operation in spec.operations:
        own = np.random.default_rng([*words, zlib.crc32(operation.name.encode())])
        draws.append(own.random((batch_size, operation.draws)))
    return np.concatenate(draws, axis=1)


def _batches(
    numbers: tf.data.Dataset,
    read: Reader,
    folder: Records,
    split: str,
    spec: InputSpec,
    columns: Sequence[str],
    batch_size: int | None,
    training: bool = False,
) -> tf.data.Dataset:
    """Returns batches, or images one by one in their own size, from the numbers of the batches.

    Records are read a batch at a time, because each call of Python costs, and prepared image by
    image, in parallel.
    """
    scenes = _scenes(folder, split, spec)
    alike_px = folder.store(split).alike_px if training else None
    prepare = Preparation(spec, folder.info, scenes, alike_px)
    draws_per_image = DRAWS + sum(operation.draws for operation in spec.operations)
    parse_spec = schema.parse_spec(folder.info.kind)
    columns = [name for name in columns if _COLUMNS[name] in parse_spec]
    wanted = ["image/encoded", *(_COLUMNS[name] for name in columns)]
    wanted += ["mask/encoded"] if spec.needs_masks else []
    owned = scenes is not None and scenes.owners is not None
    wanted = list(dict.fromkeys([*wanted, *(_SEEN if owned else ())]))

    def records(number: tf.Tensor) -> dict[str, tf.Tensor]:
        types = (tf.string, tf.float64)
        # A function with a state would make deterministic TensorFlow prepare each batch only when
        # the one before is used up.
        serialised, draws = tf.numpy_function(
            lambda n: read(int(n)), [number], types, stateful=False
        )
        serialised = tf.ensure_shape(serialised, [None])
        features = tf.io.parse_example(serialised, {name: parse_spec[name] for name in wanted})
        return features | {"draws": tf.ensure_shape(draws, [None, draws_per_image])}

    def prepared(record: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        seen = tf.stack([record[name] for name in _SEEN]) if owned else None
        encoded = record["image/encoded"], record.get("mask/encoded"), record["draws"], seen
        if batch_size is None:
            return {"image": prepare.composed(*encoded)}
        pixels = prepare.stored(*encoded)
        if not prepare.in_batches:
            pixels = prepare.operated(prepare.resized(pixels), record["draws"])
        return pixels | {name: _column(name, record[_COLUMNS[name]]) for name in columns}

    dataset = numbers.map(records, tf.data.AUTOTUNE, deterministic=True).unbatch()
    dataset = dataset.map(prepared, tf.data.AUTOTUNE, deterministic=True)
    if batch_size is not None:
        dataset = dataset.batch(batch_size, drop_remainder=training)
    if prepare.in_batches:
        dataset = dataset.map(prepare.resized, tf.data.AUTOTUNE, deterministic=True)
    return dataset


def _scenes(folder: Records, split: str, spec: InputSpec) -> Backgrounds | None:
    if not spec.needs_backgrounds:
        return None
    paths = folder.backgrounds(split)
    owners = [owner_of(path) for path in paths] if folder.info.own_backgrounds else None
    return load_backgrounds(paths, folder.store(split).largest_image_px, owners)


def _column(name: str, value: tf.Tensor) -> tf.Tensor:
    return tf.cast(value, tf.int32) if name in _NARROW else value


def _finish(batches: tf.data.Dataset, count: int | None = None) -> tf.data.Dataset:
    """Says how many batches there are, and fetches ahead."""
    if count is not None:
        batches = batches.apply(tf.data.experimental.assert_cardinality(count))
    return batches.prefetch(BATCHES_AHEAD).with_options(OPTIONS)
