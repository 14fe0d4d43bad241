"""What an audit gave, and its figures for JSON."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfreid.datasets import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID, Protocol
from tfreid.evaluation.attention import Explanation
from tfreid.evaluation.measurement import Measurement
from tfreid.evaluation.reconstruction_errors import ReconstructedPairs
from tfreid.evaluation.sets import EvaluationSet
from tfreid.records import Records
from tfreid.records.info import SourceInfo
from tfreid.retrieval import Identities, Ranking, Retrieval

_NOBODY = (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID)
_OWN = {"shortlist": ("shortlist_size",), "blend": ("shortlist_size", "blend_weight")}


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
    def chance_rank1(self) -> float:
        """Expected rank-1 of a random ranking, a fraction; the same for every variant."""
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
            **{variant: self._figures(variant) for variant in self.outcomes},
            "camera_pairs": {
                f"{query}-{gallery}": {**pair.metrics(), "queries": len(pair.first_match)}
                for (query, gallery), pair in self.camera_pairs.items()
            },
            "chance_rank1": self.chance_rank1,
            "attention": attention,
            "matching": self.matching,
            "counts": count_images(self.query, self.gallery, self._any_outcome.scored, protocol),
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
        for name in ("variants", "matching", "list_length", "position_storage"):
            del measured[name]  # Said by the entries themselves and by `matching`, or no figure's.
        if len(self.networks) > 1:
            return measured | {"combined": list(self.networks)}
        names = ("image_size_px", "flip_averaging")
        return measured | {name: self.networks[0][name] for name in names}

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


def matching_facts(measurement: Measurement, pooled: bool) -> dict[str, Any]:
    """Returns how images are compared.

    Args:
      measurement: how they are measured.
      pooled: whether the model has position features.

    Returns:
      `mode`: `exact`, `shortlist` or `blend` by reconstruction distance, `pooled` by the cosine of
      the pooled descriptors of such a model, `cosine` of other models' descriptors; and what else
      figures depend on.
    """
    matching = measurement.matching
    if matching is None:
        return {"mode": "pooled" if pooled else "cosine"}
    own = {name: getattr(matching, name) for name in _OWN.get(matching.mode, ())}
    storage = measurement.position_storage
    return {"mode": matching.mode, "beta": matching.beta, **own, "position_storage": storage}


def count_images(
    query: Identities, gallery: Identities, scored: np.ndarray, protocol: Protocol
) -> dict[str, int]:
    """Counts the images that were used and those that were left out.

    Args:
      query: identities of the queries.
      gallery: identities of the gallery images.
      scored: `[queries]` bool: the queries that have a valid match.
      protocol: how they were compared.

    Returns:
      `queries` = `queries_used` + `queries_without_match` + `queries_junk` (of no person), and
      `gallery` = `gallery_used` + `gallery_junk`; `gallery_distractors` are among the used.
      `same_camera` counts the gallery images that were left out because the query's own camera
      took them, once for each query that was used.
    """
    of_nobody = np.isin(query.person, _NOBODY)
    junk = int((gallery.person == JUNK_PERSON_ID).sum())
    return {
        "queries": len(query),
        "queries_used": int(scored.sum()),
        "queries_without_match": int((~scored & ~of_nobody).sum()),
        "queries_junk": int(of_nobody.sum()),
        "gallery": len(gallery),
        "gallery_used": len(gallery) - junk,
        "gallery_distractors": int((gallery.person == DISTRACTOR_PERSON_ID).sum()),
        "gallery_junk": junk,
        "same_camera": _same_camera(query[scored], gallery) if protocol.camera_filter else 0,
    }


def _same_camera(query: Identities, gallery: Identities) -> int:
    seen = Counter(zip(gallery.person.tolist(), gallery.camera.tolist(), strict=True))
    asked = zip(query.person.tolist(), query.camera.tolist(), strict=True)
    return sum(seen[person_and_camera] for person_and_camera in asked)
