"""Where a model looks: how much of its response lies on the person."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfreid.inputs import InputSpec
from tfreid.records import DatasetFolder
from tfreid.report.descriptors import Advance, Batched, no_progress


@dataclass(frozen=True)
class Explanation:
    """What a model attends to on some images.

    Attributes:
      images: `[n, height, width, 3]` uint8, as the model saw them.
      maps: each `[n, h, w]` float32 in [0, 1], from the model's `explain`.
      on_person: mean over the split's images of the share of the `activation` map that lies in
        the person's mask, a fraction; None without masks.
      person_area: mean share of the picture that the mask covers, a fraction; None without masks.
        A map that is the same everywhere has `on_person == person_area`.
    """

    images: np.ndarray
    maps: dict[str, np.ndarray]
    on_person: float | None
    person_area: float | None


def shares_on_person(activation: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compares where a map is strong with where the person is.

    The mask is averaged over each cell of the map, rather than the map interpolated.

    Args:
      activation: `[n, h, w]` floats >= 0.
      mask: `[n, height, width]` integers, above 0 on the person.

    Returns:
      Share of the map on the person (not a number where the map is 0 everywhere) and share of the
      picture that is the person, both `[n]`.
    """
    person = tf.cast(mask > 0, tf.float32)[..., None]
    covered = tf.image.resize(person, activation.shape[1:], method="area")[..., 0].numpy()
    total = activation.sum(axis=(1, 2))
    on_person = (activation * covered).sum(axis=(1, 2)) / np.where(total > 0, total, np.nan)
    return on_person, covered.mean(axis=(1, 2))


def explain(
    explainer: Batched,
    folder: DatasetFolder,
    split: str,
    spec: InputSpec,
    shown: np.ndarray,
    seed: int = 0,
    advance: Advance = no_progress,
) -> Explanation:
    """Explains a split's images and keeps the maps of a few.

    Args:
      explainer: a model's `explain`, whose maps `[batch, h, w]` include `activation`.
      folder: the converted data set.
      split: `"query"` or `"gallery"`.
      spec: how records become images; with `mask_vocabulary` the shares are measured.
      shown: indices of the images to keep.
      seed: chooses the random backgrounds.
      advance: called with the number of images after each batch.

    Returns:
      The explanation.
    """
    kept, shares, start = {}, [], 0
    for batch, maps in explainer.over(folder, split, spec, seed, advance):
        if spec.mask_vocabulary:
            shares.append(shares_on_person(maps["activation"], batch["mask"]))
        for index in shown[(shown >= start) & (shown < start + len(batch["image"]))]:
            row = index - start
            image = np.clip(np.rint(batch["image"][row]), 0, 255).astype(np.uint8)
            kept[index] = image, {name: values[row] for name, values in maps.items()}
        start += len(batch["image"])
    on_person, area = np.concatenate(shares, axis=1) if shares else (None, None)
    return Explanation(
        images=np.stack([kept[index][0] for index in shown]),
        maps={name: np.stack([kept[index][1][name] for index in shown]) for name in maps},
        on_person=None if area is None else float(np.nanmean(on_person)),
        person_area=None if area is None else float(area.mean()),
    )
