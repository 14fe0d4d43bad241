"""How much of a model's accuracy comes from the background (PGP, section 2 and Table 2).

The test images are shown to the model in up to four variants: as they are, with the background
filled with the mean pixel, with another scene as background, and without the person. A model that
looks at the person keeps its accuracy in the first three and is at chance in the fourth.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tfreid.errors import UsageError
from tfreid.evaluation.attention import EXPLAINED_VARIANTS, Explainer, shown_queries
from tfreid.evaluation.describer import DescribedNetwork, Describer
from tfreid.evaluation.descriptors import Advance, Descriptors
from tfreid.evaluation.measurement import Measurement
from tfreid.evaluation.occlusion import Occlusion, occlude, views
from tfreid.evaluation.position_store import PositionStore
from tfreid.evaluation.ranker import Ranker
from tfreid.evaluation.result import AuditResult
from tfreid.evaluation.sets import SPLITS, EvaluationSet
from tfreid.inputs import VARIANTS
from tfreid.nn.network import Network
from tfreid.progress import NoProgress, Progress
from tfreid.records import Records
from tfreid.retrieval import Identities, OpenSetSearches, cosine_blocks, search_open_set


def available_variants(folder: Records) -> tuple[str, ...]:
    """Returns the variants that a folder allows; without masks only `original`.

    Where only some images have masks, the variants are made of these.

    Raises:
      UsageError: if the folder has no query or no gallery split.
      DataError: if one of them is empty or damaged.
    """
    for split in ("query", "gallery"):
        folder.store(split)
    if not all(folder.info.splits[split].with_mask for split in ("query", "gallery")):
        return ("original",)
    if not folder.backgrounds("query"):
        return tuple(variant for variant in VARIANTS if variant != "random_background")
    return VARIANTS


def variants_of(tested: EvaluationSet) -> tuple[str, ...]:
    """Returns the variants that one data set of a folder allows.

    Where only some images have masks, some query of these has to have a match among these.
    """
    available = available_variants(tested.folder)
    if len(available) > 1 and tested.is_partly_masked and not tested.has_masked_match:
        return ("original",)
    return available if all(len(places) for places in tested.masked.values()) else ("original",)


def images_to_see(
    networks: Sequence[Network], tested: EvaluationSet, measurement: Measurement
) -> int:
    """Returns how often `audit` will show an image to a network, for a progress line."""
    variants = measurement.variants or variants_of(tested)
    seen = sum(len(tested.measured(split, v)) for v in variants for split in tested.records)
    queries, first = _explained(tested, variants), networks[0]
    explained = len(set(variants) & set(EXPLAINED_VARIANTS)) if first.can_explain else 0
    occluded = min(measurement.occluded_images, len(queries)) if _can_describe(first) else 0
    own = sum(not isinstance(network, DescribedNetwork) for network in networks)
    covered = occluded * views(first.image_size_px) if occluded else 0
    return own * seen + explained * len(queries) + covered


def audit(
    networks: Sequence[Network],
    tested: EvaluationSet,
    measurement: Measurement | None = None,
    progress: Progress | NoProgress | None = None,
    *,
    store: PositionStore | None = None,
) -> AuditResult:
    """Measures a network on the variants of a data set's query and gallery images.

    Args:
      networks: one, or several whose combined descriptors are compared; each owns the size of its
        input and its flip averaging. The first one's maps are shown.
      tested: the data set and the protocol, from `evaluation_sets`.
      measurement: how to measure.
      progress: told of each image that a network sees, of what goes on besides, and, before a
        matching by reconstruction begins, of what it will take.
      store: keeps what comparing by reconstruction takes, and is left as it is at the end; in a
        temporary folder by default.

    Returns:
      The figures and what is needed to show them.

    Raises:
      UsageError: if a variant is not known, the data set does not allow it, no query has a match
        there, or position features are to be compared that the network does not have.
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
    """
    measurement, progress = measurement or Measurement(), progress or NoProgress()
    variants = checked_variants(measurement.variants, variants_of(tested))
    partly = _is_partly_measured(tested, variants, measurement)
    with _opened(store, measurement) as store:
        describe = _describe(networks, tested, measurement, store, progress.advance)
        rank = Ranker(tested, measurement, store, progress)
        explained = _explained(tested, variants)
        if networks[0].can_explain:
            explainer = Explainer(networks[0], tested, measurement, explained, progress.advance)
        outcomes, explanations, reranked, reconstructed = {}, {}, {}, {}
        with_masks = searches = None
        blank = {}
        for variant in variants:
            query, gallery = describe(variant, "query"), describe(variant, "gallery")
            outcomes[variant] = rank.plainly(query, gallery, variant)
            if variant == "original":
                searches = _searches(query, gallery)
                blank = {"queries": query.blank, "gallery": gallery.blank}
            if partly and variant == "original":
                with_masks = rank.with_masks(query, gallery)
            if measurement.reranking:
                reranked[variant] = rank.again(query, gallery, variant)
            if variant in EXPLAINED_VARIANTS and networks[0].can_explain:
                explanations[variant] = explainer.explain(variant)
                pairs = explainer.pairs(variant, query, gallery, outcomes, explanations)
                reconstructed |= pairs
    whole = [
        _whose(tested, split, one) for split, one in zip(SPLITS, (query, gallery), strict=True)
    ]
    return AuditResult(
        networks=tuple(network.to_json() for network in networks),
        tested=tested,
        measurement=measurement,
        query=whole[0][0],
        query_keys=whole[0][1],
        gallery=whole[1][0],
        gallery_keys=whole[1][1],
        outcomes=outcomes,
        explanations=explanations,
        reranked=reranked,
        pooled=query.pooled,
        reconstructed=reconstructed,
        searches=searches,
        blank=blank,
        with_masks=with_masks,
        occlusion=_occlusion(networks[0], tested, measurement, explained, progress.advance),
    )


def _searches(query: Descriptors, gallery: Descriptors) -> OpenSetSearches | None:
    blocks = cosine_blocks(query.features, gallery.features)
    try:
        return search_open_set(blocks, query.identities, gallery.identities)
    except UsageError:  # One person is no gallery; the other figures say so, too.
        return None


def _can_describe(network: Network) -> bool:
    return not isinstance(network, DescribedNetwork)


def _occlusion(
    network: Network,
    tested: EvaluationSet,
    measurement: Measurement,
    queries: np.ndarray,
    advance: Advance,
) -> Occlusion | None:
    """Covers patches of those queries that are explained too, if that is asked for and possible."""
    count = measurement.occluded_images
    if not count or not _can_describe(network):
        return None
    shown = queries[shown_queries(queries, count, measurement.seed)]
    return occlude(network, tested, shown, measurement.batch_size, advance)


def _is_partly_measured(
    tested: EvaluationSet, variants: Sequence[str], measurement: Measurement
) -> bool:
    """Whether some variants are of fewer images than the original, those with masks."""
    partly = tested.is_partly_masked and tuple(variants) != ("original",)
    if partly and measurement.matching:
        raise UsageError(
            f"some images of {tested.dataset} have no mask, and matching="
            f"{measurement.matching.mode} compares all or none: use matching=pooled, or "
            "variants=original"
        )
    return partly


def _explained(tested: EvaluationSet, variants: Sequence[str]) -> np.ndarray:
    """Which queries are explained: those with masks where some variants are of these alone."""
    changed = tuple(variants) != ("original",)
    return tested.measured("query", "masked" if changed else "original")


def _whose(
    tested: EvaluationSet, split: str, described: Descriptors
) -> tuple[Identities, np.ndarray]:
    """Who is on all images of a split, of which the last variant may have had a part."""
    if len(described.keys) == len(tested.records[split]):
        return described.identities, described.keys
    return tested.identities(split)


def checked_variants(
    variants: tuple[str, ...] | None, available: tuple[str, ...]
) -> tuple[str, ...]:
    """Returns the variants that were asked for, or all.

    Raises:
      UsageError: if one is not known or not available.
    """
    for variant in variants or ():
        if variant not in VARIANTS:
            raise UsageError(f"variant {variant!r} is not known: use {', '.join(VARIANTS)}")
        if variant not in available:
            raise UsageError(
                f"variant {variant!r} needs masks of query and gallery images of one person, and "
                "random_background also backgrounds: convert the data set with both (python -m "
                "tfreid.convert --masks_root, --backgrounds_root), or ask for "
                f"{', '.join(available)}"
            )
    return variants or available


@contextlib.contextmanager
def _opened(
    store: PositionStore | None, measurement: Measurement
) -> Iterator[PositionStore | None]:
    """Gives the store, a temporary one, or none where descriptors are compared."""
    if store or not measurement.matching:
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="positions.") as folder:
        yield PositionStore(Path(folder), {}, measurement.position_storage)


def _describe(
    networks: Sequence[Network],
    tested: EvaluationSet,
    measurement: Measurement,
    store: PositionStore | None,
    advance: Advance,
) -> Callable[[str, str], Descriptors]:
    """Returns the function from variant and split to the descriptors of the data set's images."""
    if store:
        _require_positions(networks)
    if len(networks) > 1 and any(isinstance(network, DescribedNetwork) for network in networks):
        raise UsageError(
            "a DescribedNetwork is measured alone: combine the descriptors before, or give "
            "networks that compute them"
        )
    if isinstance(networks[0], DescribedNetwork):
        known = networks[0].descriptors
        return lambda variant, split: known[variant, split][tested.measured(split, variant)]
    describer = Describer(networks, measurement.batch_size, positions=store is not None)

    def describe(variant: str, split: str) -> Descriptors:
        seed = measurement.seed
        if store:
            return store.describe(describer, tested, variant, split, seed, advance)
        records = tested.measured(split, variant)
        return describer.describe(tested.folder, split, variant, seed, advance, records)

    return describe


def _require_positions(networks: Sequence[Network]) -> None:
    first = networks[0]
    described = isinstance(first, DescribedNetwork)
    if len(networks) > 1 or described or not first.has_positions or first.flip_averaging:
        raise UsageError(
            "matching by reconstruction takes one network, which computes position features here, "
            "without flip averaging: compare descriptors (matching=None) otherwise"
        )
