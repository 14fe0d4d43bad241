"""How much of a model's accuracy comes from the background (PGP, section 2 and Table 2).

The test images are shown to the model in up to four variants: as they are, with the background
filled with the mean pixel, with another scene as background, and without the person. A model that
looks at the person keeps its accuracy in the first three and is at chance in the fourth.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS, InputSpec
from tfreid.records import DatasetFolder
from tfreid.report.attention import Explanation, explain
from tfreid.report.combination import Describer, Network
from tfreid.report.descriptors import Advance, Batched, Describe, Descriptors, no_progress
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.report.markup import readable
from tfreid.report.measurement import Measurement
from tfreid.report.reranking import reranked_blocks
from tfreid.report.result import AuditResult
from tfreid.retrieval import Ranking, cosine_blocks, evaluate

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


def images_to_see(tested: EvaluationSet, variants: tuple[str, ...], networks: int = 1) -> int:
    """Returns how often `audit` will have shown an image to a network, for a progress line."""
    queries, gallery = (len(tested.records[split]) for split in ("query", "gallery"))
    explained = len(set(variants) & set(EXPLAINED_VARIANTS))
    return networks * len(variants) * (queries + gallery) + explained * queries


def audit(
    model: keras.Model,
    tested: EvaluationSet,
    measurement: Measurement,
    *,
    name: str,
    variants: tuple[str, ...] | None = None,
    describe: Describe | None = None,
    combined: Sequence[Network] = (),
    list_length: int = LIST_LENGTH,
    advance: Advance = no_progress,
    note: Callable[[str], None] = lambda text: None,
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
      combined: networks whose combined descriptors are compared instead of the model's, each with
        its own input size and flip averaging; the model only explains.
      list_length: how many of the nearest gallery images of each query to keep; the page shows
        `LIST_LENGTH`.
      advance: called with the number of images after each batch that a network sees here.
      note: told in words what goes on for long without an image being seen, and `""` after it.

    Returns:
      The figures and what is needed to show them.

    Raises:
      UsageError: if a variant is not known, the data set does not allow it, or no query has a
        match there.
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
    """
    variants = _checked(variants, available_variants(tested.folder))
    size, flip = measurement.image_size_px, measurement.flip_averaging
    networks = combined or [Network(name, model, size, flip)]
    describe = _only(tested, describe) or _describe_here(networks, tested, measurement, advance)
    explainer = Batched(model.explain, measurement.image_size_px, measurement.batch_size)
    rank = _Ranker(tested, measurement, list_length)
    outcomes, explanations, reranked = {}, {}, {}
    for variant in variants:
        query, gallery = describe(variant, "query"), describe(variant, "gallery")
        outcomes[variant] = rank.plainly(query, gallery, camera_pairs=variant == "original")
        if measurement.reranking:
            reranked[variant] = rank.again(query, gallery, variant, note)
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
        reranked=reranked,
        combined=tuple(network.described() for network in combined),
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


class _Ranker:
    """Ranks a data set's gallery for its queries."""

    def __init__(self, tested: EvaluationSet, measurement: Measurement, list_length: int):
        self._reranking = measurement.reranking
        self._options = {
            "protocol": tested.protocol,
            "average_precision": measurement.average_precision,
            "seed": measurement.seed,
            "list_length": list_length,
        }

    def plainly(self, query: Descriptors, gallery: Descriptors, camera_pairs: bool) -> Ranking:
        blocks = cosine_blocks(query.features, gallery.features)
        identities = query.identities, gallery.identities
        return evaluate(blocks, *identities, **self._options, camera_pairs=camera_pairs)

    def again(
        self, query: Descriptors, gallery: Descriptors, variant: str, note: Callable[[str], None]
    ) -> Ranking:
        def announce(done: float) -> None:
            note(f"re-ranking {readable(variant)}: {done:.0%}")

        announce(0.0)
        blocks = reranked_blocks(query, gallery, self._reranking, announce)
        ranking = evaluate(blocks, query.identities, gallery.identities, **self._options)
        note("")
        return ranking


def _describe_here(
    networks: Sequence[Network], tested: EvaluationSet, measurement: Measurement, advance: Advance
) -> Describe:
    describer = Describer(networks, measurement.batch_size)

    def describe(variant: str, split: str) -> Descriptors:
        records, seed = tested.records[split], measurement.seed
        return describer.describe(tested.folder, split, variant, seed, advance, records)

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
