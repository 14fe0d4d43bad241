"""What an audit gave, and its figures for JSON."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfreid.records import DatasetFolder
from tfreid.records.info import SourceInfo
from tfreid.report.attention import Explanation
from tfreid.report.counts import count_images
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.report.matching import matching_facts
from tfreid.report.measurement import Measurement
from tfreid.report.reconstruction_errors import ReconstructedPairs
from tfreid.retrieval import Identities, Ranking, Retrieval


@dataclass(frozen=True)
class AuditResult:
    """The audit of one model on one data set.

    Attributes:
      name: what the model is called in tables.
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
      combined: what the networks are whose descriptors were combined (`Network.described`); empty
        where one model describes.
      pooled: whether the model has position features, whichever way it was compared.
      reconstructed: variant to some queries and what the nearest image explains of each, where
        the model was compared by reconstruction.
    """

    name: str
    tested: EvaluationSet
    measurement: Measurement
    query: Identities
    query_keys: np.ndarray
    gallery: Identities
    gallery_keys: np.ndarray
    outcomes: dict[str, Ranking]
    explanations: dict[str, Explanation]
    reranked: dict[str, Ranking] = field(default_factory=dict)
    combined: tuple[dict[str, Any], ...] = ()
    pooled: bool = False
    reconstructed: dict[str, ReconstructedPairs] = field(default_factory=dict)

    @property
    def folder(self) -> DatasetFolder:
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
            "data": data_source(self.folder) | _described(self.tested),
        }

    def _measured(self) -> dict[str, Any]:
        measured = dataclasses.asdict(self.measurement)
        del measured["matching"], measured["position_storage"]  # `matching` says what matters.
        if self.combined:
            # The networks differ in these.
            del measured["image_size_px"], measured["flip_averaging"]
            measured["combined"] = list(self.combined)
        return measured

    def _figures(self, variant: str) -> dict[str, Any]:
        figures: dict[str, Any] = self.outcomes[variant].retrieval.metrics()
        if variant in self.reranked:
            figures["reranked"] = self.reranked[variant].retrieval.metrics()
        return figures


def data_source(folder: DatasetFolder) -> dict[str, Any]:
    """Returns what identifies a converted folder, for JSON."""
    info = folder.info
    return {
        "name": info.name,
        "path": str(folder.path),
        "fingerprint": info.fingerprint,
        "synthetic": info.synthetic,
    }


def _described(tested: EvaluationSet) -> dict[str, Any]:
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
