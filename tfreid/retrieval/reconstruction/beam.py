"""Matching by reconstruction on many workers, with Apache Beam.

An element is a stretch of the gallery; the worker that gets it leaves its distances in files of a
folder. Features are read from files by each worker and never travel. Once all stretches are done,
`reconstruction_blocks` with the same folder finds everything finished and yields the distances:
the same, to the bit, as when it computes them itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from tfreid.records.runners import unwrapped_errors, with_runner
from tfreid.retrieval.reconstruction.checkpoint import Parts, fingerprint
from tfreid.retrieval.reconstruction.job import MatchingJob
from tfreid.retrieval.reconstruction.matching import ReconstructionMatching
from tfreid.retrieval.reconstruction.positions import PositionFeatures
from tfreid.retrieval.reconstruction.products import tiles


@dataclass(frozen=True)
class GalleryShard:
    """Gallery images `start <= number < stop`, some whole tiles."""

    start: int
    stop: int


def gallery_shards(gallery: PositionFeatures, count: int) -> list[GalleryShard]:
    """Divides a gallery for workers.

    Args:
      gallery: the gallery images.
      count: shards to make; fewer where there are not as many tiles.

    Returns:
      Shards of about the same number of tiles.
    """
    found = tiles(gallery.counts)
    bounds = [len(found) * shard // count for shard in range(count + 1)]
    return [
        GalleryShard(found[first].start, found[last - 1].stop)
        for first, last in pairwise(bounds)
        if first < last
    ]


class MatchShards(beam.PTransform):
    """`GalleryShard`s to files with the distances of all queries from them.

    The output holds the shards that are done.
    """

    def __init__(
        self,
        query: str | Path,
        gallery: str | Path,
        matching: ReconstructionMatching,
        folder: str | Path,
    ):
        """Reads the features once, to name their distances.

        Args:
          query: folder of the queries' `PositionFeatures`.
          gallery: folder of those of the gallery images.
          matching: how to match; each worker may hold its memory budget.
          folder: for the distances. Workers on other machines need to see all three folders under
            the same paths.
        """
        super().__init__()
        paths = [str(Path(path).absolute()) for path in (query, gallery, folder)]
        features = [PositionFeatures.open(path) for path in paths[:2]]
        self._match = _MatchShard(*paths, matching, fingerprint(*features, matching))

    def expand(self, shards: beam.PCollection) -> beam.PCollection:
        """Applies the transform."""
        return shards | "Spread" >> beam.Reshuffle() | "Match" >> beam.ParDo(self._match)


class _MatchShard(beam.DoFn):
    """Computes what is missing of a shard's distances; one that is repeated does nothing."""

    def __init__(
        self, query: str, gallery: str, folder: str, matching: ReconstructionMatching, name: str
    ):
        self._query, self._gallery, self._folder = query, gallery, folder
        self._matching, self._name = matching, name

    def setup(self) -> None:
        features = [PositionFeatures.open(path) for path in (self._query, self._gallery)]
        self._job = MatchingJob(*features, self._matching)

    def process(self, shard: GalleryShard) -> Sequence[GalleryShard]:
        parts = Parts(Path(self._folder), self._name)
        self._job.complete(parts, slice(shard.start, shard.stop))
        return [shard]


def match_with_beam(
    query: str | Path,
    gallery: str | Path,
    matching: ReconstructionMatching,
    folder: str | Path,
    *,
    shards: int = 16,
    beam_args: Sequence[str] = (),
) -> None:
    """Computes reconstruction distances with one Beam pipeline.

    Args:
      query: folder of the queries' `PositionFeatures`.
      gallery: folder of those of the gallery images.
      matching: how to match; each worker may hold its memory budget.
      folder: for the distances; give it to `reconstruction_blocks` afterwards.
      shards: pieces of the gallery that workers take one after the other.
      beam_args: Beam pipeline options; see `tfreid.records.runners.with_runner`.

    Raises:
      MissingPathError: if there are no features.
      OSError: if the disk is full.
    """
    match = MatchShards(query, gallery, matching, folder)
    found = gallery_shards(PositionFeatures.open(gallery), shards)
    with (
        unwrapped_errors(Path(folder)),
        beam.Pipeline(options=PipelineOptions(with_runner(beam_args))) as pipeline,
    ):
        _ = pipeline | "Shards" >> beam.Create(found) | "MatchShards" >> match
