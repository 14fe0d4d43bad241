"""Ranks what an audit compares, and says how far it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tfreid.progress import duration
from tfreid.report.descriptors import Descriptors
from tfreid.report.distances import plain_blocks
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.report.markup import readable
from tfreid.report.measurement import Measurement
from tfreid.report.position_store import PositionStore
from tfreid.report.reranking import reranked_blocks
from tfreid.retrieval import Ranking, evaluate
from tfreid.retrieval.reconstruction import estimate

Note = Callable[[str], None]
"""Is told in words what goes on for long without an image being seen, and `""` after it."""


def tell_nobody(text: str) -> None:
    """Tells nobody."""


class Ranker:
    """Ranks a data set's gallery for its queries."""

    def __init__(
        self,
        tested: EvaluationSet,
        measurement: Measurement,
        list_length: int,
        store: PositionStore | None,
        note: Note,
        tell: Note,
    ):
        """Takes what is compared, how, the lists' length, the files and who is told."""
        self._measurement, self._store = measurement, store
        self._dataset, self._note, self._tell = tested.dataset, note, tell
        self._options = {
            "protocol": tested.protocol,
            "average_precision": measurement.average_precision,
            "seed": measurement.seed,
            "list_length": list_length,
        }

    def plainly(self, query: Descriptors, gallery: Descriptors, variant: str) -> Ranking:
        """Ranks by the distance that is measured."""
        matching = self._measurement.matching
        folder = self._folder(variant)
        if matching:
            self._tell_estimate(query, gallery, variant, folder)
        announce = self._announce(f"matching {readable(variant)}")
        blocks = plain_blocks(query, gallery, matching, folder, announce)
        ranking = self._rank(blocks, query, gallery, camera_pairs=variant == "original")
        if matching:
            self._note("")
        return ranking

    def again(self, query: Descriptors, gallery: Descriptors, variant: str) -> Ranking:
        """Ranks after re-ranking."""
        announce = self._announce(f"re-ranking {readable(variant)}")
        announce(0.0)
        blocks = reranked_blocks(query, gallery, self._measurement, self._folder(variant), announce)
        ranking = self._rank(blocks, query, gallery)
        self._note("")
        return ranking

    def _rank(
        self,
        blocks: Iterator[np.ndarray],
        query: Descriptors,
        gallery: Descriptors,
        camera_pairs: bool = False,
    ) -> Ranking:
        identities = query.identities, gallery.identities
        return evaluate(blocks, *identities, **self._options, camera_pairs=camera_pairs)

    def _tell_estimate(
        self, query: Descriptors, gallery: Descriptors, variant: str, folder: Path
    ) -> None:
        matching = self._measurement.matching
        found = estimate(query.positions, gallery.positions, matching, folder=folder)
        text = (
            f"{self._dataset}, {readable(variant)}: {found.pairs:,} pairs to reconstruct, about "
            f"{duration(found.seconds)}, {found.bytes / 2**30:.2f} GiB of memory"
        )
        if self._measurement.reranking:
            queries, images = len(query.positions), len(gallery.positions)
            times = (queries + images) / queries
            times *= (queries + images) / images if matching.mode == "exact" else 1
            text += f"; then {times:.1f} times as many for the re-ranking"
        self._tell(text)

    def _folder(self, variant: str) -> Path | None:
        return self._store.distances(variant) if self._store else None

    def _announce(self, what: str) -> Callable[[float], None]:
        return lambda done: self._note(f"{what}: {done:.0%}")
