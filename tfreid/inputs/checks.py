"""Refuses, before anything is read, what a converted folder cannot deliver."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfrecords_schema import schema
from tfreid.datasets.vocabulary import lookup
from tfreid.errors import DataError, UsageError
from tfreid.inputs.images import decode_image, decode_mask
from tfreid.inputs.sampling import PersonSampler, RandomSampler
from tfreid.inputs.spec import InputSpec
from tfreid.records import Records


def check_folder(
    folder: Records,
    split: str,
    spec: InputSpec,
    indices: np.ndarray | None = None,
    every_mask: bool = False,
) -> None:
    """Checks that a split exists and has what a spec needs.

    Args:
      folder: converted data set.
      split: its split.
      spec: how records become images.
      indices: int64 `[n]`, the records that are asked for; None for all.
      every_mask: whether each of them is to have a mask where masks are read, or some at least.

    Raises:
      UsageError: if the split is not there or empty, if masks or backgrounds are missing, or if
        the masks do not tell apart the classes asked for.
    """
    info = folder.info
    filled = [name for name, counts in info.splits.items() if counts.records]
    if split not in filled:
        state = "is empty" if split in info.splits else "does not exist"
        raise UsageError(
            f"split {split!r} of {folder.path} {state}: "
            f"choose one of {', '.join(filled) or 'none, convert again'}"
        )
    if spec.needs_masks:
        _check_masks(folder, split, spec, indices, every_mask)
    if spec.mask_vocabulary is not None:
        lookup(info.mask_vocabulary, spec.mask_vocabulary)
    if spec.needs_backgrounds and not folder.backgrounds(split):
        raise UsageError(
            f"{folder.path} has no background images, and {spec.mask_reason} needs some. "
            "Convert with some (python -m tfreid.convert --backgrounds_root)"
        )


def _check_masks(
    folder: Records, split: str, spec: InputSpec, indices: np.ndarray | None, every_mask: bool
) -> None:
    masked = folder.masked(split)[slice(None) if indices is None else indices]
    missing = len(masked) - int(masked.sum())
    if missing if every_mask else missing == len(masked):
        raise UsageError(
            f"{missing} of {len(masked)} records in split {split!r} of {folder.path} have no mask, "
            f"and {spec.mask_reason} needs one for each. Convert with masks (python -m "
            "tfreid.convert --masks_root), or let a network make them (--parser)"
        )


def masks_missing(folder: Records, split: str, spec: InputSpec) -> str:
    """Says how many images of a split have no mask though masks are read, and what becomes of them.

    Returns:
      A sentence; empty where none is missing, or masks are not read.
    """
    masked = folder.masked(split) if spec.needs_masks else np.ones(1, bool)
    if masked.all():
        return ""
    what = "keep their background"
    if spec.needs_every_mask:
        by_target = spec.variant == "original"  # Random backgrounds could do without some masks.
        reason = f"mask_vocabulary={spec.mask_vocabulary!r}" if by_target else spec.mask_reason
        what = f"are left out, as {reason} needs one for each"
    return f"{np.sum(~masked):,} of {len(masked):,} images have no mask and {what}"


def refuse_undecodable(folder: Records) -> None:
    """Decodes every image and mask of a converted data set, which takes a while.

    Raises:
      DataError: naming the first record that TensorFlow cannot decode, or not to the size it says.
    """
    for split in (name for name, counts in folder.info.splits.items() if counts.records):
        store = folder.store(split)
        for index in range(len(store)):
            record = schema.decode(folder.info.kind, store.read(np.array([index]))[0])
            problem = _undecodable(record)
            if problem:
                raise DataError(
                    f"the record {record['image/key']!r} in split {split!r} of {folder.path} "
                    f"cannot be decoded ({problem}): replace or leave out its image, then convert "
                    "again"
                )


def _undecodable(record: Mapping[str, Any]) -> str:
    """Says what is wrong with the image or the mask of a record; empty if nothing is."""
    said = record["image/height"], record["image/width"]
    for what, decode in (("image", decode_image), ("mask", decode_mask)):
        encoded = record[f"{what}/encoded"]
        try:
            size = tuple(decode(encoded).shape[:2]) if encoded else said
        except tf.errors.OpError as error:
            return error.message.splitlines()[0]
        if size != said:
            return "{} of {}x{} px instead of {}x{}".format(what, *size, *said)
    return ""


def training_sampler(
    folder: Records, split: str, spec: InputSpec, batch_size: int, seed: int
) -> Callable[[int], np.ndarray]:
    """Returns the sampler that a spec asks for: step -> record indices, int64 `[batch]`.

    Records without mask are left out where each needs one.

    Raises:
      UsageError: if the split has records without a training label, or without a camera where
        images are to be spread over cameras, or if the batch is empty or cannot be made of whole
        persons.
    """
    if spec.needs_every_mask and not folder.info.has_masks(split):
        usable = np.flatnonzero(folder.masked(split))
        sampler = _sampler(folder, split, spec, batch_size, seed, usable)
        return lambda step: usable[sampler(step)]
    return _sampler(folder, split, spec, batch_size, seed)


def _sampler(
    folder: Records,
    split: str,
    spec: InputSpec,
    batch_size: int,
    seed: int,
    usable: np.ndarray | slice = slice(None),
) -> Callable[[int], np.ndarray]:
    """The sampler of the records that are usable: step -> places among these."""
    if batch_size < 1:
        raise UsageError(f"a batch must hold at least 1 image, not {batch_size}")
    kind = folder.info.kind
    if kind == "reid":
        persons = _labels(
            folder, split, "person", "show no training person: train on split 'train'"
        )[usable]
    if spec.images_per_person == 0:
        count = len(np.arange(folder.info.splits[split].records)[usable])
        return RandomSampler(count, batch_size, seed)
    if kind != "reid":
        raise UsageError(
            f"images_per_person={spec.images_per_person} needs person labels, which {kind} records "
            f"do not have ({folder.path}); set it to 0"
        )
    persons_per_batch, remainder = divmod(batch_size, spec.images_per_person)
    if remainder:
        raise UsageError(
            f"a batch of {batch_size} images cannot be made of whole persons with "
            f"{spec.images_per_person} images each: choose a multiple"
        )
    cameras = None
    if spec.spread_cameras:
        text = "have no camera, and spread_cameras=True needs one for each: set it to False"
        cameras = _labels(folder, split, "camera", text)[usable]
    return PersonSampler(persons, persons_per_batch, spec.images_per_person, seed, cameras)


def _labels(folder: Records, split: str, of: str, refusal: str) -> np.ndarray:
    """Returns the label of each record's person or camera, int64 `[records]`; all must have one."""
    labels = folder.store(split).columns((f"{of}/label",))[f"{of}/label"]
    missing = (labels < 0).sum()
    if missing:
        raise UsageError(
            f"{missing} of {len(labels)} records in split {split!r} of {folder.path} {refusal}"
        )
    return labels
