"""Descriptors of a data set by an exported model: one Apache Beam pipeline.

Its elements are numbers, of stretches of a split; each worker process loads the model once, reads
the records of a stretch from the data set and leaves their descriptors in a file. Images and
descriptors never travel between workers.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.shared import Shared

from tfreid.errors import DataError, MissingPathError, TrainingError, UsageError
from tfreid.evaluation.descriptors import (
    Advance,
    Descriptors,
    describe_split,
    embedder,
    no_progress,
)
from tfreid.files import completed_file
from tfreid.inputs import InputSpec
from tfreid.nn.network import Network
from tfreid.records import Records
from tfreid.records.runners import unwrapped_errors, with_runner
from tfreid.records.watch import watch_shards
from tfreid.retrieval import Identities
from tfreid.serving.saved_model import ServedModel

SPLITS = ("query", "gallery")
_STRETCH_IMAGES = 1024
_NOTHING = Descriptors(
    np.zeros((0, 0), np.float32),
    Identities(np.zeros(0, np.int64), np.zeros(0, np.int64)),
    np.zeros(0, np.str_),
)
"""The descriptors of a stretch in which no image has a mask."""

_ERRORS = (MissingPathError, UsageError, DataError, TrainingError)  # The special ones first.


@dataclass(frozen=True)
class Stretch:
    """Records `start <= number < stop` of a split, in one variant."""

    variant: str
    split: str
    start: int
    stop: int

    @property
    def file_name(self) -> str:
        """Name of the file for their descriptors."""
        return f"{self.variant}-{self.split}-{self.start}"


@dataclass(frozen=True)
class DescribingJob:
    """What every worker needs to know.

    Attributes:
      model: path of the exported model.
      data: path of the converted data set.
      results: folder for the descriptors; all workers must see it, and both paths above.
      batch_size: images in a batch.
      seed: chooses the random backgrounds.
    """

    model: str
    data: str
    results: str
    batch_size: int
    seed: int


def describe_with_beam(
    model: str | Path,
    data: str | Path,
    variants: Sequence[str],
    *,
    batch_size: int = 64,
    seed: int = 0,
    beam_args: Sequence[str] = (),
    results: str | Path | None = None,
    advance: Advance = no_progress,
) -> dict[tuple[str, str], Descriptors]:
    """Computes the descriptors of query and gallery images, as `tfreid.evaluation.audit` would.

    Of a model that is matched by reconstruction these are the pooled ones.

    Args:
      model: folder of one version of an exported model.
      data: a converted re-identification data set.
      variants: which variants of the images.
      batch_size: images in a batch.
      seed: chooses the random backgrounds.
      beam_args: Beam pipeline options; see `tfreid.records.runners.with_runner`.
      results: folder in which the results of the workers are kept for a while. Workers on other
        machines need to see it, as well as the model and the data, under the same paths; a
        temporary folder of this machine by default.
      advance: called with the number of images of each stretch that is done.

    Returns:
      Variant and split to its descriptors, of all records; zeros for those that have no mask, in
      variants that need one.

    Raises:
      UsageError: if there is no model, or the data set does not have what a variant needs.
      DataError: if the model or a record is damaged.
      TrainingError: if a descriptor is not finite.
      OSError: if the disk is full.
    """
    folder = Records(Path(data).absolute())
    stretches = [
        stretch
        for variant in variants
        for split in SPLITS
        for stretch in _stretches(variant, split, len(folder.store(split)), batch_size)
    ]
    with tempfile.TemporaryDirectory(prefix="descriptors.", dir=results) as place:
        model = str(Path(model).absolute())
        _run(
            DescribingJob(model, str(folder.path), place, batch_size, seed),
            stretches,
            beam_args,
            advance,
        )
        parts = defaultdict(list)
        for stretch in stretches:
            parts[stretch.variant, stretch.split].append(_load(Path(place) / stretch.file_name))
    return {key: _whole(folder, key[1], _joined(found)) for key, found in parts.items()}


def _stretches(variant: str, split: str, images: int, batch_size: int) -> Iterator[Stretch]:
    # Whole batches: a model on several cores may round other batches otherwise.
    length = max(_STRETCH_IMAGES // batch_size, 1) * batch_size
    for start in range(0, images, length):
        yield Stretch(variant, split, start, min(start + length, images))


def _run(
    job: DescribingJob, stretches: Sequence[Stretch], beam_args: Sequence[str], advance: Advance
) -> None:
    counts = {stretch.file_name: stretch.stop - stretch.start for stretch in stretches}
    with (
        unwrapped_errors(Path(job.results)),
        watch_shards(Path(job.results), counts, advance),
        beam.Pipeline(options=PipelineOptions(with_runner(beam_args))) as pipeline,
    ):
        _ = (
            pipeline
            | "Stretches" >> beam.Create(stretches)
            | "Spread" >> beam.Reshuffle()
            | "Describe" >> beam.ParDo(_Describe(job))
        )


class _Worker:
    """What a worker process holds on to: the model, compiled once, and the open data set."""

    def __init__(self, job: DescribingJob):
        model = ServedModel(job.model)
        self._size_px, self._seed = model.image_size_px, job.seed
        self._embed = embedder(Network("", model, self._size_px), job.batch_size)
        self._folder = Records(job.data)

    def describe(self, stretch: Stretch) -> Descriptors:
        spec = InputSpec(image_size_px=self._size_px, variant=stretch.variant)
        indices = np.arange(stretch.start, stretch.stop)
        if spec.needs_masks:
            indices = indices[self._folder.masked(stretch.split)[indices]]
        if not len(indices):
            return _NOTHING
        return describe_split(
            self._embed, self._folder, stretch.split, spec, self._seed, indices=indices
        )


class _Describe(beam.DoFn):
    """Writes the descriptors of a stretch, or what is wrong with its model or records.

    A runner would pass an error on as text; in the file it stays what it is. A stretch that a
    runner repeats writes the same file again.
    """

    def __init__(self, job: DescribingJob):
        self._job, self._shared = job, Shared()

    def process(self, stretch: Stretch) -> None:
        try:
            worker = self._shared.acquire(lambda: _Worker(self._job))
            arrays = _as_arrays(worker.describe(stretch))
        except (UsageError, DataError, TrainingError) as error:
            kind = next(kind for kind in _ERRORS if isinstance(error, kind))
            arrays = {"error": np.array([kind.__name__, str(error)])}
        with (
            completed_file(Path(self._job.results) / stretch.file_name) as partial,
            partial.open("wb") as file,
        ):
            np.savez(file, **arrays)


def _as_arrays(found: Descriptors) -> dict[str, np.ndarray]:
    return {
        "features": found.features,
        "person": found.identities.person,
        "camera": found.identities.camera,
        "keys": np.asarray(found.keys, np.str_),
        "pooled": np.array(found.pooled),
    }


def _load(path: Path) -> Descriptors:
    with np.load(path, allow_pickle=False) as arrays:
        if "error" in arrays:
            name, text = arrays["error"].tolist()
            raise next(kind for kind in _ERRORS if kind.__name__ == name)(text)
        identities = Identities(arrays["person"], arrays["camera"])
        return Descriptors(arrays["features"], identities, arrays["keys"], bool(arrays["pooled"]))


def _whole(folder: Records, split: str, found: Descriptors) -> Descriptors:
    """Puts descriptors of images with masks where these are among all."""
    if len(found.keys) == len(folder.store(split)):
        return found
    columns = folder.store(split).columns(("person/id", "camera/id", "image/key"))
    keys = np.array([key.decode() for key in columns["image/key"]])
    features = np.zeros((len(keys), found.features.shape[1]), np.float32)
    features[folder.masked(split)] = found.features
    identities = Identities(columns["person/id"], columns["camera/id"])
    return Descriptors(features, identities, keys, found.pooled)


def _joined(parts: Sequence[Descriptors]) -> Descriptors:
    parts = [part for part in parts if len(part.keys)] or parts[:1]
    return Descriptors(
        np.concatenate([part.features for part in parts]),
        Identities(
            np.concatenate([part.identities.person for part in parts]),
            np.concatenate([part.identities.camera for part in parts]),
        ),
        np.concatenate([part.keys for part in parts]),
        parts[0].pooled,
    )
