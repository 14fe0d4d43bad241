"""What an audit gave, and its figures for JSON."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tfreid.evaluation.attention import Explanation
from tfreid.evaluation.counts import count_images
from tfreid.evaluation.masked import WITH_MASKS
from tfreid.evaluation.measurement import Measurement, matching_facts
from tfreid.evaluation.occlusion import Occlusion
from tfreid.evaluation.open_set import open_set_metrics
from tfreid.evaluation.reconstruction_errors import ReconstructedPairs
from tfreid.evaluation.sets import EvaluationSet
from tfreid.evaluation.uncertainty import QueryBootstrap
from tfreid.evaluation.verdict import CHANGED_BACKGROUNDS, Verdict
from tfreid.records import Records
from tfreid.records.info import SourceInfo
from tfreid.retrieval import Identities, Interval, OpenSetSearches, Ranking, Retrieval
from tfreid.retrieval.intervals import CONFIDENCE, DRAWS


@dataclass(frozen=True)
class AuditResult:
    """The audit of one network, or of several as one, on one data set.

    Attributes:
      networks: what they are (`Network.to_json`).
      tested: what it was measured on, and the protocol.
      measurement: how else it was measured.
      query: identities of the queries.
      query_keys: `[queries]` strings.
      gallery: identities of the gallery images.
      gallery_keys: `[gallery]` strings.
      outcomes: variant to how each query fared and what it found; on the original images also by
        pair of cameras, where those are known.
      explanations: variant to what the model attends to on some queries.
      reranked: variant to how each query fared after re-ranking, where that was asked for.
      pooled: whether the model has position features, whichever way it was compared.
      reconstructed: variant to some queries and what the nearest image explains of each, where
        the model was compared by reconstruction.
      with_masks: how each query fared among the original images with masks, where others have
        none; variants with another background are of these images. Others count as without match.
      searches: how searches of the original images for enrolled persons and for strangers fared, by
        the cosine of descriptors; None where there are too few persons.
      blank: of `queries` and `gallery`, how many original images have a descriptor of zeros.
      occlusion: where covering a part of the picture changes the descriptor, if it was asked for.
    """

    networks: tuple[dict[str, Any], ...]
    tested: EvaluationSet
    measurement: Measurement
    query: Identities
    query_keys: np.ndarray
    gallery: Identities
    gallery_keys: np.ndarray
    outcomes: dict[str, Ranking]
    explanations: dict[str, Explanation]
    reranked: dict[str, Ranking] = field(default_factory=dict)
    pooled: bool = False
    reconstructed: dict[str, ReconstructedPairs] = field(default_factory=dict)
    with_masks: Ranking | None = None
    occlusion: Occlusion | None = None
    searches: OpenSetSearches | None = None
    blank: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the model is called in tables; with position features also how it was matched."""
        names = " + ".join(network["name"] for network in self.networks)
        by_positions = self.pooled and len(self.networks) == 1
        return f"{names} ({self.matching['mode']})" if by_positions else names

    @property
    def folder(self) -> Records:
        """The converted folder that holds the data set."""
        return self.tested.folder

    @property
    def matching(self) -> dict[str, Any]:
        """How images were compared: `mode` and what else matters of it, for JSON."""
        return matching_facts(self.measurement, self.pooled)

    @property
    def comparable(self) -> dict[str, Ranking]:
        """Variant to how the queries fared, all of the same images: those with masks."""
        return self.outcomes | ({"original": self.with_masks} if self.with_masks else {})

    @cached_property
    def bootstrap(self) -> QueryBootstrap:
        """Gives intervals, by the seed of the measurement."""
        return QueryBootstrap(self.query.person, self.measurement.seed)

    @cached_property
    def intervals(self) -> dict[str, dict[str, Interval]]:
        """Variant to its figures with their intervals, as `QueryBootstrap.sum` gives them."""
        rows = dict(self.outcomes)
        if self.with_masks:
            rows = {"original": rows.pop("original"), WITH_MASKS: self.with_masks, **rows}
        return {name: self.bootstrap.sum((1, row.retrieval)) for name, row in rows.items()}

    @cached_property
    def losses(self) -> dict[str, dict[str, Interval]]:
        """Variant with another background to what the figures lose against the original."""
        found = {name: outcome.retrieval for name, outcome in self.comparable.items()}
        if "original" not in found:
            return {}
        return {
            variant: self.bootstrap.sum((1, found["original"]), (-1, found[variant]))
            for variant in CHANGED_BACKGROUNDS
            if variant in found
        }

    @property
    def verdict(self) -> Verdict | None:
        """On random backgrounds, or mean ones; None where no background was changed."""
        variant = next((v for v in reversed(CHANGED_BACKGROUNDS) if v in self.losses), None)
        if variant is None:
            return None
        original, changed = (self.comparable[v].retrieval for v in ("original", variant))
        rank1 = (outcome.metrics()["rank1"] for outcome in (original, changed))
        persons = self.bootstrap.persons(original, changed)
        return Verdict(variant, *rank1, self.losses[variant]["rank1"], persons)

    @property
    def chance_rank1(self) -> float:
        """Expected rank-1 of a random ranking of the original images, a fraction.

        It is that of every variant, unless these are of the images with masks alone.
        """
        return self._any_outcome.chance_rank1

    @property
    def camera_pairs(self) -> dict[tuple[int, int], Retrieval]:
        """Query camera and gallery camera to how the queries fared there, on original images."""
        original = self.outcomes.get("original")
        return original.camera_pairs if original else {}

    @property
    def _any_outcome(self) -> Retrieval:
        return next(iter(self.outcomes.values())).retrieval

    def metrics(self) -> dict[str, Any]:
        """Returns what was measured, how and on what, as a dict for JSON; figures are fractions.

        Each variant is an entry with what `Retrieval.metrics` gives, and in it `reranked` has the
        same figures after re-ranking, if that was asked for; so is each entry
        `<query camera>-<gallery camera>` of `camera_pairs`, with its number of `queries`. Where
        there are masks, `attention` holds what `Explanation.metrics` gives by variant.
        """
        protocol = self.tested.protocol
        attention = {
            variant: shown.metrics()
            for variant, shown in self.explanations.items()
            if shown.on_person is not None
        }
        return {
            **self._by_variant(),
            **({"occlusion": self.occlusion.metrics()} if self.occlusion else {}),
            "camera_pairs": {
                f"{query}-{gallery}": {**pair.metrics(), "queries": len(pair.first_match)}
                for (query, gallery), pair in self.camera_pairs.items()
            },
            "chance_rank1": self.chance_rank1,
            "intervals": self._intervals(),
            **({"open_set": open_set_metrics(self.searches)} if self.searches else {}),
            "attention": attention,
            "matching": self.matching,
            "counts": count_images(self.query, self.gallery, self._any_outcome.scored, protocol)
            | {f"{of}_blank": images for of, images in self.blank.items()},
            "protocol": {
                "name": protocol.name,
                "camera_filter": protocol.camera_filter,
                "gallery_draws": protocol.gallery_draws,
                **self._measured(),
            },
            "data": data_source(self.folder) | _set_facts(self.tested),
        }

    def _measured(self) -> dict[str, Any]:
        measured = dataclasses.asdict(self.measurement)
        for name in ("variants", "matching", "list_length", "position_storage", "occluded_images"):
            del measured[name]  # Said by the entries themselves and by `matching`, or no figure's.
        if len(self.networks) > 1:
            return measured | {"combined": list(self.networks)}
        names = ("image_size_px", "flip_averaging")
        return measured | {name: self.networks[0][name] for name in names}

    def _by_variant(self) -> dict[str, Any]:
        figures = {variant: self._figures(variant) for variant in self.outcomes}
        if not self.with_masks:
            return figures
        images = {split: len(places) for split, places in self.tested.masked.items()}
        used = int(self.with_masks.retrieval.scored.sum())
        alike = {WITH_MASKS: self.with_masks.retrieval.metrics()}
        original = {"original": figures.pop("original")}
        return original | alike | figures | {"masks": {**images, "queries_used": used}}

    def _intervals(self) -> dict[str, Any]:
        figures, losses = (
            {
                row: {name: one.to_json() for name, one in found.items()}
                for row, found in rows.items()
            }
            for rows in (self.intervals, self.losses)
        )
        return {
            "confidence": CONFIDENCE,
            "draws": DRAWS,
            "persons": self.bootstrap.persons(self._any_outcome),
            "figures": figures,
            "losses": losses,
        }

    def _figures(self, variant: str) -> dict[str, Any]:
        figures: dict[str, Any] = self.outcomes[variant].retrieval.metrics()
        if variant in self.reranked:
            figures["reranked"] = self.reranked[variant].retrieval.metrics()
        return figures


def data_source(folder: Records) -> dict[str, Any]:
    """Returns what identifies a converted folder, for JSON."""
    info = folder.info
    return {
        "name": info.name,
        "path": str(folder.path),
        "fingerprint": info.fingerprint,
        "synthetic": info.synthetic,
    }


def _set_facts(tested: EvaluationSet) -> dict[str, Any]:
    """Returns which data set of the folder was measured, how it was read and its split."""
    source = tested.source or SourceInfo()
    split = source.split
    return {
        "dataset": tested.dataset,
        "options": dict(source.options),
        # The persons themselves are in the folder's description.
        "split": split and {**dataclasses.asdict(split), "test_persons": len(split.test_persons)},
        "excluded": dict(source.excluded),
    }


def evaluation_metrics(results: Sequence[AuditResult]) -> dict[str, Any]:
    """Returns the figures of one model for JSON, whether of one data set or of several.

    Args:
      results: audits of the model, one a data set.

    Returns:
      Of one data set what `AuditResult.metrics` gives; of several, the same by data set under
      `datasets`.
    """
    if len(results) == 1:
        return results[0].metrics()
    return {"datasets": {result.tested.dataset: result.metrics() for result in results}}


def figure_rows(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Returns the figures of an audit by variant, those after re-ranking as rows of their own.

    Args:
      metrics: from `AuditResult.metrics`.

    Returns:
      `<variant>`, and `<variant>_reranked` where there is that, to figures by name.
    """
    rows = {}
    for variant, figures in metrics.items():
        if isinstance(figures, Mapping) and "rank1" in figures:
            rows[variant] = {name: value for name, value in figures.items() if name != "reranked"}
            if "reranked" in figures:
                rows[f"{variant}_reranked"] = dict(figures["reranked"])
    return rows
