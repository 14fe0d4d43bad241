"""How much of a model's accuracy comes from the background (PGP, section 2 and Table 2).

The test images are shown to the model in up to four variants: as they are, with the background
filled with the mean pixel, with another scene as background, and without the person. A model that
looks at the person keeps its accuracy in the first three and is at chance in the fourth.
"""

import keras
import numpy as np

from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS, InputSpec
from tfreid.records import DatasetFolder
from tfreid.report.attention import Explanation, explain
from tfreid.report.descriptors import (
    Advance,
    Batched,
    Describe,
    Descriptors,
    describe_split,
    embedder,
    no_progress,
)
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.report.measurement import Measurement
from tfreid.report.result import AuditResult
from tfreid.retrieval import cosine_blocks, evaluate

LIST_LENGTH = 10
EXPLAINED_IMAGES = 10
EXPLAINED_VARIANTS = ("original", "random_background")


def available_variants(folder: DatasetFolder) -> tuple[str, ...]:
    """Returns the variants that a folder allows; without masks only `original`.

    Raises:
      UsageError: if the folder has no query or no gallery split.
      DataError: if one of them is empty or damaged.
    """
    for split in ("query", "gallery"):
        folder.store(split)
    if not (folder.info.has_masks("query") and folder.info.has_masks("gallery")):
        return ("original",)
    if not folder.backgrounds():
        return tuple(variant for variant in VARIANTS if variant != "random_background")
    return VARIANTS


def images_to_see(tested: EvaluationSet, variants: tuple[str, ...]) -> int:
    """Returns how often `audit` will have shown an image to the model, for a progress line."""
    queries, gallery = (len(tested.records[split]) for split in ("query", "gallery"))
    explained = len(set(variants) & set(EXPLAINED_VARIANTS))
    return len(variants) * (queries + gallery) + explained * queries


def audit(
    model: keras.Model,
    tested: EvaluationSet,
    measurement: Measurement,
    *,
    name: str,
    variants: tuple[str, ...] | None = None,
    describe: Describe | None = None,
    list_length: int = LIST_LENGTH,
    advance: Advance = no_progress,
) -> AuditResult:
    """Measures a model on the variants of a data set's query and gallery images.

    Args:
      model: has `embed(images) -> [batch, d]` and `explain(images) -> {name: [batch, h, w]}` for
        float32 images `[batch, height, width, 3]` in [0, 255].
      tested: the data set and the protocol, from `evaluation_sets`.
      measurement: how to measure.
      name: what to call the model.
      variants: which variants; all that the data set allows by default.
      describe: gives the descriptors where they were computed elsewhere; they are then taken as
        they are, and the model only explains. By default the model computes them here.
      list_length: how many of the nearest gallery images of each query to keep; the page shows
        `LIST_LENGTH`.
      advance: called with the number of images after each batch that the model sees here.

    Returns:
      The figures and what is needed to show them.

    Raises:
      UsageError: if a variant is not known, the data set does not allow it, or no query has a
        match there.
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
    """
    variants = _checked(variants, available_variants(tested.folder))
    describe = _only(tested, describe) or _describe_here(model, tested, measurement, advance)
    explainer = Batched(model.explain, measurement.image_size_px, measurement.batch_size)
    outcomes, explanations = {}, {}
    for variant in variants:
        query, gallery = describe(variant, "query"), describe(variant, "gallery")
        outcomes[variant] = evaluate(
            cosine_blocks(query.features, gallery.features),
            query.identities,
            gallery.identities,
            protocol=tested.protocol,
            average_precision=measurement.average_precision,
            seed=measurement.seed,
            list_length=list_length,
            camera_pairs=variant == "original",
        )
        if variant in EXPLAINED_VARIANTS:
            explanations[variant] = _explain(explainer, tested, measurement, variant, advance)
    return AuditResult(
        name=name,
        tested=tested,
        measurement=measurement,
        query=query.identities,
        query_keys=query.keys,
        gallery=gallery.identities,
        gallery_keys=gallery.keys,
        outcomes=outcomes,
        explanations=explanations,
    )


def _checked(variants: tuple[str, ...] | None, available: tuple[str, ...]) -> tuple[str, ...]:
    for variant in variants or ():
        if variant not in VARIANTS:
            raise UsageError(f"variant {variant!r} is not known: use {', '.join(VARIANTS)}")
        if variant not in available:
            raise UsageError(
                f"variant {variant!r} needs masks of the query and gallery images, and "
                "random_background also a folder of backgrounds: convert the data set with "
                f"--masks_root and --backgrounds_root, or ask for {', '.join(available)}"
            )
    return variants or available


def _describe_here(
    model: keras.Model, tested: EvaluationSet, measurement: Measurement, advance: Advance
) -> Describe:
    size = measurement.image_size_px
    embed = embedder(model, size, measurement.batch_size, measurement.flip_averaging)

    def describe(variant: str, split: str) -> Descriptors:
        spec = InputSpec(image_size_px=size, variant=variant)
        records = tested.records[split]
        return describe_split(embed, tested.folder, split, spec, measurement.seed, advance, records)

    return describe


def _only(tested: EvaluationSet, describe: Describe | None) -> Describe | None:
    """Takes the data set's descriptors from those of the whole folder."""
    if describe is None:
        return None
    return lambda variant, split: describe(variant, split)[tested.records[split]]


def _explain(
    explainer: Batched,
    tested: EvaluationSet,
    measurement: Measurement,
    variant: str,
    advance: Advance,
) -> Explanation:
    masks = "binary" if tested.folder.info.has_masks("query") else None
    spec = InputSpec(
        image_size_px=measurement.image_size_px, variant=variant, mask_vocabulary=masks
    )
    queries, seed = tested.records["query"], measurement.seed
    shown = np.random.default_rng(seed).permutation(len(queries))[:EXPLAINED_IMAGES]
    return explain(explainer, tested.folder, "query", spec, shown, seed, advance, queries)
