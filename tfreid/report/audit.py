"""How much of a model's accuracy comes from the background (PGP, section 2 and Table 2).

The test images are shown to the model in up to four variants: as they are, with the background
filled with the mean pixel, with another scene as background, and without the person. A model that
looks at the person keeps its accuracy in the first three and is at chance in the fourth.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np

from tfreid.datasets.protocols import PROTOCOLS
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
from tfreid.retrieval import (
    Identities,
    Retrieval,
    cosine_blocks,
    evaluate,
    evaluate_camera_pairs,
    ranked_list,
)

LIST_LENGTH = 10
EXPLAINED_IMAGES = 10
EXPLAINED_VARIANTS = ("original", "random_background")


@dataclass(frozen=True)
class Protocol:
    """How a model is measured.

    Attributes:
      image_size_px: height, width of the model's input.
      batch_size: images in a batch; no figure depends on it.
      flip_averaging: average the descriptors of an image and of its mirror image.
      camera_filter: leave out gallery images of the query's person from the query's camera.
      average_precision: `"mean"` or `"trapezoid"`, as in `tfreid.retrieval.evaluate`.
      seed: chooses the random backgrounds and the images that are explained.
    """

    image_size_px: tuple[int, int]
    batch_size: int = 64
    flip_averaging: bool = False
    camera_filter: bool = True
    average_precision: str = "mean"
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What one variant of the test images gave.

    Attributes:
      retrieval: how each query fared.
      lists: for each query the indices of the nearest gallery images and whether each is right.
    """

    retrieval: Retrieval
    lists: list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class AuditResult:
    """The audit of one model.

    Attributes:
      name: what the model is called in tables.
      folder: the data set that it was measured on.
      protocol: how it was measured.
      query: identities of the queries.
      query_keys: `[queries]` strings.
      gallery: identities of the gallery images.
      outcomes: variant to what it gave.
      explanations: variant to what the model attends to on some queries.
      camera_pairs: query camera and gallery camera to how the queries fared there, on the original
        images; empty where those were not measured or cameras are not known.
    """

    name: str
    folder: DatasetFolder
    protocol: Protocol
    query: Identities
    query_keys: np.ndarray
    gallery: Identities
    outcomes: dict[str, Outcome]
    explanations: dict[str, Explanation]
    camera_pairs: dict[tuple[int, int], Retrieval]

    @property
    def chance_rank1(self) -> float:
        """Expected rank-1 of a random ranking, a fraction; the same for every variant."""
        return next(iter(self.outcomes.values())).retrieval.chance_rank1

    def metrics(self) -> dict:
        """Returns what was measured, how and on what, as a dict for JSON; figures are fractions.

        Each variant is an entry with `rank1`, `rank5`, `rank10`, `rank20` and `mAP`; so is each
        entry `<query camera>-<gallery camera>` of `camera_pairs`, with its number of `queries`.
        Where there are masks, `attention` holds what `Explanation.metrics` gives by variant.
        """
        scored = next(iter(self.outcomes.values())).retrieval.scored
        attention = {
            variant: shown.metrics()
            for variant, shown in self.explanations.items()
            if shown.on_person is not None
        }
        return {
            **{variant: outcome.retrieval.metrics() for variant, outcome in self.outcomes.items()},
            "camera_pairs": {
                f"{query}-{gallery}": {**pair.metrics(), "queries": len(pair.first_match)}
                for (query, gallery), pair in self.camera_pairs.items()
            },
            "chance_rank1": self.chance_rank1,
            "attention": attention,
            "counts": {
                "queries": len(self.query),
                "queries_without_match": int((~scored).sum()),
                "gallery": len(self.gallery),
                "gallery_junk": int((self.gallery.person == -1).sum()),
                "gallery_distractors": int((self.gallery.person == 0).sum()),
            },
            "protocol": dataclasses.asdict(self.protocol),
            "data": data_source(self.folder),
        }


def data_source(folder: DatasetFolder) -> dict:
    """Returns what identifies a data set, for JSON."""
    info = folder.info
    return {
        "name": info.name,
        "path": str(folder.path),
        "fingerprint": info.fingerprint,
        "synthetic": info.synthetic,
    }


def available_variants(folder: DatasetFolder) -> tuple[str, ...]:
    """Returns the variants that a data set allows; without masks only `original`.

    Raises:
      UsageError: if the data set has no query or no gallery split.
      DataError: if one of them is empty or damaged.
    """
    for split in ("query", "gallery"):
        folder.store(split)
    if not (folder.info.has_masks("query") and folder.info.has_masks("gallery")):
        return ("original",)
    if not folder.backgrounds():
        return tuple(variant for variant in VARIANTS if variant != "random_background")
    return VARIANTS


def images_to_see(folder: DatasetFolder, variants: tuple[str, ...]) -> int:
    """Returns how often `audit` will have shown an image to the model, for a progress line."""
    queries, gallery = (folder.info.splits[split].records for split in ("query", "gallery"))
    explained = len(set(variants) & set(EXPLAINED_VARIANTS))
    return len(variants) * (queries + gallery) + explained * queries


def audit(
    model: keras.Model,
    folder: DatasetFolder,
    protocol: Protocol,
    *,
    name: str,
    variants: tuple[str, ...] | None = None,
    describe: Describe | None = None,
    advance: Advance = no_progress,
) -> AuditResult:
    """Measures a model on the variants of a data set's query and gallery images.

    Args:
      model: has `embed(images) -> [batch, d]` and `explain(images) -> {name: [batch, h, w]}` for
        float32 images `[batch, height, width, 3]` in [0, 255].
      folder: a converted re-identification data set with splits `query` and `gallery`.
      protocol: how to measure.
      name: what to call the model.
      variants: which variants; all that the data set allows by default.
      describe: gives the descriptors where they were computed elsewhere; they are then taken as
        they are, and the model only explains. By default the model computes them here.
      advance: called with the number of images after each batch that the model sees here.

    Returns:
      The figures and what is needed to show them.

    Raises:
      UsageError: if a variant is not known, the data set does not allow it or has no query or
        gallery images, or no query has a match there.
      DataError: if a record is damaged.
      TrainingError: if a descriptor is not finite.
    """
    variants = _checked(variants, available_variants(folder))
    size, seed = protocol.image_size_px, protocol.seed
    describe = describe or _describe_here(model, folder, protocol, advance)
    explainer = Batched(model.explain, size, protocol.batch_size)
    queries = folder.info.splits["query"].records
    shown = np.random.default_rng(seed).permutation(queries)[:EXPLAINED_IMAGES]
    masks = "binary" if folder.info.has_masks("query") else None
    outcomes, explanations, camera_pairs = {}, {}, {}
    for variant in variants:
        query, gallery = describe(variant, "query"), describe(variant, "gallery")
        outcomes[variant] = _compare(query, gallery, protocol)
        if variant == "original":
            camera_pairs = _compare_cameras(query, gallery, protocol)
        if variant in EXPLAINED_VARIANTS:
            spec = InputSpec(image_size_px=size, variant=variant, mask_vocabulary=masks)
            explanations[variant] = explain(explainer, folder, "query", spec, shown, seed, advance)
    return AuditResult(
        name=name,
        folder=folder,
        protocol=protocol,
        query=query.identities,
        query_keys=query.keys,
        gallery=gallery.identities,
        outcomes=outcomes,
        explanations=explanations,
        camera_pairs=camera_pairs,
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
    model: keras.Model, folder: DatasetFolder, protocol: Protocol, advance: Advance
) -> Describe:
    size = protocol.image_size_px
    embed = embedder(model, size, protocol.batch_size, protocol.flip_averaging)

    def describe(variant: str, split: str) -> Descriptors:
        spec = InputSpec(image_size_px=size, variant=variant)
        return describe_split(embed, folder, split, spec, protocol.seed, advance)

    return describe


def _compare(query: Descriptors, gallery: Descriptors, protocol: Protocol) -> Outcome:
    lists: list[tuple[np.ndarray, np.ndarray]] = []

    def listed(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            for distances in block:
                person = query.identities.person[len(lists)]
                camera = query.identities.camera[len(lists)]
                nearest = ranked_list(
                    distances,
                    person,
                    camera,
                    gallery.identities,
                    length=LIST_LENGTH,
                    camera_filter=protocol.camera_filter,
                )
                lists.append(nearest)
            yield block

    retrieval = evaluate(
        listed(cosine_blocks(query.features, gallery.features)),
        query.identities,
        gallery.identities,
        protocol=PROTOCOLS["market" if protocol.camera_filter else "no_camera"],
        average_precision=protocol.average_precision,
    ).retrieval
    return Outcome(retrieval, lists)


def _compare_cameras(
    query: Descriptors, gallery: Descriptors, protocol: Protocol
) -> dict[tuple[int, int], Retrieval]:
    return evaluate_camera_pairs(
        lambda rows, columns: cosine_blocks(query.features[rows], gallery.features[columns]),
        query.identities,
        gallery.identities,
        camera_filter=protocol.camera_filter,
        average_precision=protocol.average_precision,
    )
