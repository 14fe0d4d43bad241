"""What the Beam workers do: write whole shards and report on them.

A worker gets the name of a shard. What belongs to it lies beside it in a manifest, because a
pipeline should not carry its data in its own description: Beam compresses that several times,
and some runners limit its size.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np

from tfrecords_schema import schema
from tfreid.datasets.files import MAX_IMAGE_MPX
from tfreid.datasets.row import DISTRACTOR_PERSON_ID, NO_CAMERA_ID
from tfreid.errors import DataError
from tfreid.files import completed_file
from tfreid.records import framing, images
from tfreid.records.entries import Entry, key_hash
from tfreid.records.manifest import read_manifest
from tfreid.records.mask_maker import MaskMaker, made_mask

DIGEST_BYTES = 16


@dataclass(frozen=True)
class ConversionJob:
    """What every worker needs to know.

    Attributes:
        folder: where shards are written; all workers must see it.
        kind: record kind.
        backgrounds: paths of the scenes for random-background copies.
        seed: seed of those copies.
        mask_vocabulary: vocabulary that masks are written in; empty where there are none.
        parser: makes masks of the images that have none, where there is one.
        max_image_mpx: megapixels of the largest image.
    """

    folder: str
    kind: str
    backgrounds: tuple[str, ...]
    seed: int
    mask_vocabulary: str
    parser: MaskMaker | None = None
    max_image_mpx: float = MAX_IMAGE_MPX


@dataclass
class SplitTally:
    """Sums over the records of a split; `pixel_sums` over original images only."""

    records: int = 0
    with_mask: int = 0
    persons: set[int] = field(default_factory=set)
    cameras: set[int] = field(default_factory=set)
    pixel_sums: tuple[int, int, int] = (0, 0, 0)
    pixels: int = 0

    def merge(self, other: "SplitTally") -> None:
        """Adds the sums of other records."""
        self.records += other.records
        self.with_mask += other.with_mask
        self.persons |= other.persons
        self.cameras |= other.cameras
        pairs = zip(self.pixel_sums, other.pixel_sums, strict=True)
        self.pixel_sums = tuple(ours + theirs for ours, theirs in pairs)
        self.pixels += other.pixels


@dataclass
class ConversionReport:
    """What was written and what was not.

    Attributes:
        splits: sums by split.
        shards: number of records and of their bytes by shard.
        digests: hash of each record's bytes, hexadecimal, one after the other.
        rejects: key and reason of each record that was left out.
        unmasked: key and reason of each record that the parser was not confident of, or whose mask
            is empty: an image without a mask, or a copy on a random background that was left out.
    """

    splits: dict[str, SplitTally] = field(default_factory=dict)
    shards: dict[str, tuple[int, int]] = field(default_factory=dict)
    digests: str = ""
    rejects: list[tuple[str, str]] = field(default_factory=list)
    unmasked: list[tuple[str, str]] = field(default_factory=list)

    def of(self, split: str) -> SplitTally:
        """Returns the sums of a split, to be added to."""
        return self.splits.setdefault(split, SplitTally())

    def to_json(self) -> dict[str, Any]:
        """Returns it for JSON, which knows no sets."""
        values = asdict(self)
        for tally in values["splits"].values():
            tally |= {name: sorted(tally[name]) for name in ("persons", "cameras")}
        return values


def merge(reports: Iterable[ConversionReport]) -> ConversionReport:
    """Combines reports; their order does not matter."""
    merged, digests = ConversionReport(), []
    for report in reports:
        for split, tally in report.splits.items():
            merged.of(split).merge(tally)
        merged.shards.update(report.shards)
        merged.rejects += report.rejects
        merged.unmasked += report.unmasked
        digests.append(report.digests)
    merged.digests = "".join(digests)
    return merged


class WriteShard(beam.DoFn):
    """Writes all records of a shard: shard name to `ConversionReport`.

    The shard appears under its name when it is whole, so a bundle that a runner repeats writes
    the same file again.
    """

    def __init__(self, job: ConversionJob):
        """Takes what every worker needs to know."""
        self._job = job

    def process(self, name: str) -> Iterator[ConversionReport]:
        """Writes one shard."""
        folder = Path(self._job.folder)
        report, digests, written_bytes = ConversionReport(), bytearray(), 0
        with completed_file(folder / name) as partial, partial.open("wb") as file:
            for entry in read_manifest(folder, name):
                record = self._record_or_none(entry, report)
                if record is not None:
                    file.write(framing.frame(record))
                    written_bytes += len(record)
                    digests += hashlib.blake2b(record, digest_size=DIGEST_BYTES).digest()
        report.shards[name] = len(digests) // DIGEST_BYTES, written_bytes
        report.digests = digests.hex()
        yield report

    def _record_or_none(self, entry: Entry, report: ConversionReport) -> bytes | None:
        tally = SplitTally(records=1)
        try:
            record, unsure = make_record(entry, self._job, tally)
        except (images.RejectedError, DataError) as error:
            report.rejects.append((entry.key, str(error)))
            return None
        if unsure is not None:
            report.unmasked.append((entry.key, str(unsure)))
        if record is None:
            return None
        report.of(str(entry.features["dataset/split"])).merge(tally)
        return record


def make_record(
    entry: Entry, job: ConversionJob, tally: SplitTally
) -> tuple[bytes | None, images.UnsureError | None]:
    """Reads, checks and encodes one record.

    Args:
        entry: the record.
        job: the conversion.
        tally: sums of one record, to be filled.

    Returns:
        The serialised example, None of a copy that cannot be made for want of a mask; and why the
        the image has no mask after all, if so.

    Raises:
        RejectedError: if a file is unreadable, damaged or does not fit the others.
        DataError: if a value does not follow the schema.
    """
    data, image = images.read_image(entry.image_path, entry.image_part, job.max_image_mpx)
    mask_data, mask, unsure = b"", None, None
    try:
        mask_data, mask = _mask(entry, job, data, image.size)
    except images.UnsureError as error:
        unsure = error
    tally.with_mask = int(mask is not None)
    if entry.copy and unsure:
        return None, unsure
    if entry.copy:
        if mask is None:
            raise images.RejectedError(f"no mask, hence no random background: {entry.image_path}")
        person = images.converted(mask, job.mask_vocabulary, "binary")
        seed = key_hash(entry.key, job.seed)
        data = images.on_random_background(image, person, job.backgrounds, seed, job.max_image_mpx)
    else:
        tally.pixel_sums = tuple(images.pixel_sums(image).tolist())
        tally.pixels = image.width * image.height
    _tally_ids(entry, tally)
    values = entry.features | {
        "image/encoded": data,
        "image/height": image.height,
        "image/width": image.width,
        "mask/encoded": mask_data,
        "mask/vocabulary": job.mask_vocabulary if mask_data else "",
    }
    return schema.encode(job.kind, values), unsure


def _mask(
    entry: Entry, job: ConversionJob, data: bytes, size: tuple[int, int]
) -> tuple[bytes, np.ndarray | None]:
    """Returns the mask as PNG and as classes, both of the job's vocabulary, or nothing.

    Raises:
        UnsureError: if the parser is not confident of the image, or a mask of a person is empty.
        RejectedError: if a mask is damaged or none, or the parser cannot decode the image.
    """
    if not entry.mask_vocabulary:
        return b"", None
    if entry.mask_path:
        mask_data, mask = images.read_mask(
            entry.mask_path, entry.mask_vocabulary, size, entry.mask_part, job.max_image_mpx
        )
        if job.kind == "reid" and not mask.any():
            raise images.UnsureError(f"{entry.mask_path} shows no person")
    else:
        mask = made_mask(job.parser, data, size)
        mask_data = images.encode_png(mask)
    if entry.mask_vocabulary != job.mask_vocabulary:
        mask = images.converted(mask, entry.mask_vocabulary, job.mask_vocabulary)
        mask_data = images.encode_png(mask)
    return mask_data, mask


def _tally_ids(entry: Entry, tally: SplitTally) -> None:
    person, camera = entry.features.get("person/id", 0), entry.features.get("camera/id", 0)
    tally.persons = {person} if person > DISTRACTOR_PERSON_ID else set()
    tally.cameras = {camera} if camera != NO_CAMERA_ID else set()
