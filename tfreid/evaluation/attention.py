"""Where a model looks: how its maps tell the person from what is around."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfreid.evaluation.descriptors import Advance, Batched, Descriptors, no_progress
from tfreid.evaluation.measurement import Measurement
from tfreid.evaluation.reconstruction_errors import ReconstructedPairs, reconstruct_pairs
from tfreid.evaluation.sets import EvaluationSet
from tfreid.inputs import InputSpec
from tfreid.nn.network import Network
from tfreid.records import Records
from tfreid.retrieval import Ranking

EXPLAINED_IMAGES = 10
EXPLAINED_VARIANTS = ("original", "random_background")


@dataclass(frozen=True)
class PersonMeans:
    """How strong a map is on the person and around it, averaged over images.

    Attributes:
      inside: mean of the map over the person's mask.
      outside: mean of the map over the rest of the picture.
      auc: probability that the map is stronger at a pixel of the person than at one of the rest;
        0.5 for a map that is even. Unlike the means it does not depend on the level of the map.
      images: how many images these are of: those whose mask is neither empty nor full.
    """

    inside: float
    outside: float
    auc: float
    images: int

    @property
    def contrast(self) -> float:
        """What the map gives the person over the rest; 0 for a map that is even."""
        return self.inside - self.outside


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
      means: name of a map to its means on and around the person; empty without masks, or where
        every mask is empty or full.
    """

    images: np.ndarray
    maps: dict[str, np.ndarray]
    on_person: float | None
    person_area: float | None
    means: dict[str, PersonMeans]

    def metrics(self) -> dict:
        """Returns the figures for JSON; `maps` holds by name a `PersonMeans` with its contrast."""
        return {
            "on_person": self.on_person,
            "person_area": self.person_area,
            "maps": {
                name: {**dataclasses.asdict(means), "contrast": means.contrast}
                for name, means in self.means.items()
            },
        }


def shares_on_person(activation: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compares where a map is strong with where the person is.

    Args:
      activation: `[n, h, w]` floats >= 0.
      mask: `[n, height, width]` integers, above 0 on the person.

    Returns:
      Share of the map on the person (not a number where the map is 0 everywhere) and share of the
      picture that is the person, both `[n]`.
    """
    covered = _covered(mask, activation.shape[1:])
    total = activation.sum(axis=(1, 2))
    on_person = (activation * covered).sum(axis=(1, 2)) / np.where(total > 0, total, np.nan)
    return on_person, covered.mean(axis=(1, 2))


def means_by_person(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Averages a map over the person and over the rest of the picture.

    With `m` the share of a cell that the mask covers, these are the means of the map weighted with
    `m` and with `1 - m`.

    Args:
      values: `[n, h, w]` floats, the map.
      mask: `[n, height, width]` integers, above 0 on the person.

    Returns:
      `[2, n]`, inside and outside; not a number where the mask is empty or full.
    """
    covered = _covered(mask, values.shape[1:])
    person = (mask > 0).reshape(len(mask), -1)
    both = person.any(axis=1) & ~person.all(axis=1)

    def mean(weights: np.ndarray) -> np.ndarray:
        total = np.where(both, weights.sum(axis=(1, 2)), np.nan)
        return (values * weights).sum(axis=(1, 2)) / total

    return np.stack([mean(covered), mean(1 - covered)])


def auc_by_person(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Measures how well a map ranks the person above the rest, whatever its level and its range.

    The area under the ROC curve: the probability that, of a pixel of the person and one of the
    rest, both drawn at random, the first lies in the cell with the higher value; equal values, such
    as those of one cell, count one half.

    Args:
      values: `[n, h, w]` floats, the map.
      mask: `[n, height, width]` integers, above 0 on the person.

    Returns:
      `[n]`, in [0, 1]; not a number where the mask is empty or full.
    """
    shares = _covered(mask, values.shape[1:]).astype(np.float64)
    return np.array([_auc(*image) for image in zip(values, shares, strict=True)])


def _auc(values: np.ndarray, share: np.ndarray) -> float:
    levels, level = np.unique(values, return_inverse=True)
    inside, outside = (
        np.bincount(level.ravel(), weights.ravel(), len(levels)) for weights in (share, 1 - share)
    )
    pairs = inside.sum() * outside.sum()
    below = np.cumsum(outside) - outside / 2
    return float(inside @ below / pairs) if pairs > 0 else np.nan


def compare_with_person(values: np.ndarray, mask: np.ndarray) -> PersonMeans | None:
    """Compares a map with the persons' masks and averages over the images.

    Args:
      values: `[n, h, w]` floats, the map.
      mask: `[n, height, width]` integers, above 0 on the person.

    Returns:
      The figures; None where every mask is empty or full.
    """
    return _over_images(_of_images(values, mask))


def _covered(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Share of each cell that the person covers: the mask is averaged, no map is interpolated."""
    person = tf.cast(mask > 0, tf.float32)[..., None]
    return tf.image.resize(person, size, method="area")[..., 0].numpy()


def explain(
    explainer: Batched,
    folder: Records,
    split: str,
    spec: InputSpec,
    shown: np.ndarray,
    seed: int = 0,
    advance: Advance = no_progress,
    indices: np.ndarray | None = None,
) -> Explanation:
    """Explains a split's images and keeps the maps of a few.

    Args:
      explainer: a model's `explain`, whose maps `[batch, h, w]` include `activation`.
      folder: the converted data set.
      split: `"query"` or `"gallery"`.
      spec: how records become images; with `mask_vocabulary` the maps are compared with the masks.
      shown: which images to keep, by their places among those explained.
      seed: chooses the random backgrounds.
      advance: called with the number of images after each batch.
      indices: int64 `[n]`: the records to explain, in this order, instead of all.

    Returns:
      The explanation.
    """
    kept, shares, means, start = {}, [], [], 0
    for batch, maps in explainer.over(folder, split, spec, seed, advance, indices):
        if spec.mask_vocabulary:
            mask = batch["mask"]
            shares.append(shares_on_person(maps["activation"], mask))
            means.append({name: _of_images(values, mask) for name, values in maps.items()})
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
        means=_by_map(means),
    )


def _of_images(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Inside, outside and AUC of each image, `[3, n]`."""
    return np.stack([*means_by_person(values, mask), auc_by_person(values, mask)])


def _over_images(of_images: np.ndarray) -> PersonMeans | None:
    compared = of_images[:, ~np.isnan(of_images[0])]
    if not compared.size:
        return None
    return PersonMeans(*compared.mean(axis=1, dtype=np.float64).tolist(), compared.shape[1])


def _by_map(batches: list[dict[str, np.ndarray]]) -> dict[str, PersonMeans]:
    of_maps = {
        name: _over_images(np.concatenate([batch[name] for batch in batches], axis=1))
        for name in (batches[0] if batches else ())
    }
    return {name: means for name, means in of_maps.items() if means}


def shown_queries(queries: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draws which of the queries `[n]` are shown, by their places among these."""
    return np.random.default_rng(seed).permutation(len(queries))[:count]


class Explainer:
    """Shows where the model looks in some of the queries."""

    def __init__(
        self,
        network: Network,
        tested: EvaluationSet,
        measurement: Measurement,
        queries: np.ndarray,
        advance: Advance,
    ):
        """Takes the network, the images, which queries to see, and who is told of them."""
        self._network, self._tested, self._measurement = network, tested, measurement
        self._advance = advance
        explain, size_px = network.model.explain, network.image_size_px
        self._maps = Batched(explain, size_px, measurement.batch_size)
        self._queries = queries
        self._shown = shown_queries(queries, EXPLAINED_IMAGES, measurement.seed)

    def explain(self, variant: str) -> Explanation:
        """Explains all queries of a variant and keeps the maps of those that are shown."""
        folder, seed = self._tested.folder, self._measurement.seed
        has_masks = len(self._queries) == len(self._tested.masked["query"])
        masks = "binary" if has_masks else None
        size = self._network.image_size_px
        spec = InputSpec(image_size_px=size, variant=variant, mask_vocabulary=masks)
        shown, advance, queries = self._shown, self._advance, self._queries
        return explain(self._maps, folder, "query", spec, shown, seed, advance, queries)

    def pairs(
        self,
        variant: str,
        query: Descriptors,
        gallery: Descriptors,
        outcomes: Mapping[str, Ranking],
        explanations: Mapping[str, Explanation],
    ) -> dict[str, ReconstructedPairs]:
        """Returns, under the variant, the shown queries beside what they found nearest.

        Nothing where descriptors were compared.
        """
        matching, size = self._measurement.matching, self._network.image_size_px
        if matching is None:
            return {}
        pairs = reconstruct_pairs(
            query,
            gallery,
            outcomes[variant].lists,
            self._shown,
            explanations[variant].images,
            lambda chosen: self._tested.images(
                "gallery", variant, chosen, size, self._measurement.seed
            ),
            self._network.model.patches(size),
            matching.beta,
        )
        return {variant: pairs}
