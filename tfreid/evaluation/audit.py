"""How much of a model's accuracy comes from the background (PGP, section 2 and Table 2).

The test images are shown to the model in up to four variants: as they are, with the background
filled with the mean pixel, with another scene as background, and without the person. A model that
looks at the person keeps its accuracy in the first three and is at chance in the fourth.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras

from tfreid.errors import UsageError
from tfreid.evaluation.attention import EXPLAINED_VARIANTS, Explainer
from tfreid.evaluation.descriptors import Advance, Describe, Descriptors, no_progress
from tfreid.evaluation.measurement import Measurement
from tfreid.evaluation.network import Describer, Network
from tfreid.evaluation.position_store import PositionStore
from tfreid.evaluation.ranker import Note, Ranker, tell_nobody
from tfreid.evaluation.result import AuditResult
from tfreid.evaluation.sets import EvaluationSet
from tfreid.inputs import VARIANTS
from tfreid.records import Records

LIST_LENGTH = 10


def available_variants(folder: Records) -> tuple[str, ...]:
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
    store: PositionStore | None = None,
    list_length: int = LIST_LENGTH,
    advance: Advance = no_progress,
    note: Note = tell_nobody,
    tell: Note = tell_nobody,
) -> AuditResult:
    """Measures a model on the variants of a data set's query and gallery images.

    Args:
      model: has `embed` and `explain` for float32 images `[batch, height, width, 3]` in [0, 255],
        as `tfreid.methods.Method` says.
      tested: the data set and the protocol, from `evaluation_sets`.
      measurement: how to measure.
      name: what to call the model.
      variants: which variants; all that the data set allows by default.
      describe: gives the descriptors where they were computed elsewhere; they are then taken as
        they are, and the model only explains. By default the model computes them here.
      combined: networks whose combined descriptors are compared instead of the model's, each with
        its own input size and flip averaging; the model only explains.
      store: keeps what comparing by reconstruction takes, and is left as it is at the end; in a
        temporary folder by default.
      list_length: how many of the nearest gallery images of each query to keep; the page shows
        `LIST_LENGTH`.
      advance: called with the number of images after each batch that a network sees here.
      note: told what goes on besides.
      tell: told what a matching by reconstruction will take, before it begins.

    Returns:
      The figures and what is needed to show them.

    Raises:
      UsageError: if a variant is not known, the data set does not allow it, no query has a match
        there, or position features are to be compared that the model does not have.
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
      ValueError: if `describe` is given and position features are to be compared.
    """
    variants = _checked(variants, available_variants(tested.folder))
    size, flip = measurement.image_size_px, measurement.flip_averaging
    networks = combined or [Network(name, model, size, flip)]
    with _opened(store, measurement) as store:
        describe = _only(tested, describe, measurement) or _describe_here(
            networks, tested, measurement, store, advance
        )
        rank = Ranker(tested, measurement, list_length, store, note, tell)
        explainer = Explainer(model, tested, measurement, advance)
        outcomes, explanations, reranked, reconstructed = {}, {}, {}, {}
        for variant in variants:
            query, gallery = describe(variant, "query"), describe(variant, "gallery")
            outcomes[variant] = rank.plainly(query, gallery, variant)
            if measurement.reranking:
                reranked[variant] = rank.again(query, gallery, variant)
            if variant in EXPLAINED_VARIANTS:
                explanations[variant] = explainer.explain(variant)
                pairs = explainer.pairs(variant, query, gallery, outcomes, explanations)
                reconstructed |= pairs
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
        pooled=query.pooled,
        reconstructed=reconstructed,
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


def _describe_here(
    networks: Sequence[Network],
    tested: EvaluationSet,
    measurement: Measurement,
    store: PositionStore | None,
    advance: Advance,
) -> Describe:
    describer = Describer(networks, measurement.batch_size, positions=store is not None)
    if store:
        _require_positions(networks)

    def describe(variant: str, split: str) -> Descriptors:
        seed = measurement.seed
        if store:
            return store.describe(describer, tested, variant, split, seed, advance)
        records = tested.records[split]
        return describer.describe(tested.folder, split, variant, seed, advance, records)

    return describe


def _require_positions(networks: Sequence[Network]) -> None:
    if len(networks) > 1 or not networks[0].has_positions or networks[0].flip_averaging:
        raise UsageError(
            "only one network that gives position features is compared by reconstruction, without "
            "the mirror image: compare the descriptors, or leave flip averaging off"
        )


def _only(
    tested: EvaluationSet, describe: Describe | None, measurement: Measurement
) -> Describe | None:
    """Takes the data set's descriptors from those of the whole folder."""
    if describe is None:
        return None
    if measurement.matching:
        raise ValueError("descriptors from elsewhere have no position features to be matched by")
    return lambda variant, split: describe(variant, split)[tested.records[split]]
