"""From rows to entries: labels, joint sets, the order of the records and their shards.

All of this is decided before any file is opened, from the rows alone, so that it does not depend
on how many workers convert.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tfreid.datasets import VOCABULARIES, ParsingRow, Row
from tfreid.datasets.parts import Part
from tfreid.datasets.row import NO_CAMERA_ID
from tfreid.datasets.vocabulary import common_vocabulary
from tfreid.errors import DataError, UsageError
from tfreid.files import bytes_of
from tfreid.records.image_set import ImageSet
from tfreid.records.info import LabelMap, SourceInfo
from tfreid.records.mask_maker import MaskMaker
from tfreid.records.records import shard_name

TRAIN = "train"
_LARGEST_ID = 2**63 - 1
_SPLITS = (TRAIN, "val", "query", "gallery")


@dataclass(frozen=True)
class Entry:
    """A record to be written: what is known of it before its files are opened.

    Attributes:
        image_path: the image file.
        image_part: where in that file the image lies; None for the whole file.
        mask_path: the mask file, where there is one.
        mask_part: where in that file the mask lies; None for the whole file.
        mask_vocabulary: vocabulary of that mask in its file, or of the one that a parser is to
            make; empty for no mask.
        copy: 0 for the image itself, n for its n-th copy on a random background.
        features: the features that come from the row, by the schema's names.
    """

    image_path: str
    image_part: Part | None
    mask_path: str | None
    mask_part: Part | None
    mask_vocabulary: str
    copy: int
    features: dict[str, str | int]

    @property
    def key(self) -> str:
        """The record's key."""
        return str(self.features["image/key"])


@dataclass(frozen=True)
class ConversionPlan:
    """Everything that a conversion will write.

    Attributes:
        name: name of the converted data set.
        kind: record kind.
        mask_vocabulary: vocabulary of all records' masks, the finest to which those of all data
            sets can be converted; empty where there are none.
        shards: the records' entries by shard file name, by split, in the order to be written.
        person_labels: person label by data set and published person ID.
        camera_labels: camera label by data set and published camera ID.
        sources: how each data set was read.
        parser: makes masks of the images that have none, where there is one.
    """

    name: str
    kind: str
    mask_vocabulary: str
    shards: dict[str, dict[str, list[Entry]]]
    person_labels: LabelMap
    camera_labels: LabelMap
    sources: dict[str, SourceInfo]
    parser: MaskMaker | None = None

    @property
    def num_records(self) -> dict[str, int]:
        """Number of records by split."""
        return {split: sum(map(len, found.values())) for split, found in self.shards.items()}

    @property
    def image_bytes(self) -> int:
        """Bytes of the image files that records will hold as they are."""
        entries = (e for found in self.shards.values() for shard in found.values() for e in shard)
        return bytes_of(entry.image_path for entry in entries if not entry.image_part)

    @property
    def num_parsed(self) -> int:
        """Number of records whose mask the parser is to make."""
        entries = (e for found in self.shards.values() for shard in found.values() for e in shard)
        return sum(1 for entry in entries if entry.mask_vocabulary and not entry.mask_path)


@dataclass
class _Numbering:
    """Labels and unambiguous IDs of persons or cameras over several data sets."""

    labels: LabelMap = field(default_factory=dict)
    num_labels: int = 0
    id_offset: int = 0
    _next_id_offset: int = 0

    def add(self, dataset: str, trained: Iterable[int], known: Iterable[int]) -> None:
        """Goes on to the next data set: labels for `trained` IDs, new numbers for all `known`."""
        table = {raw: self.num_labels + i for i, raw in enumerate(sorted(set(trained)))}
        self.labels[dataset] = table
        self.num_labels += len(table)
        self.id_offset = self._next_id_offset
        self._next_id_offset += max(known, default=0)
        if self._next_id_offset > _LARGEST_ID:
            raise DataError(
                f"the person or camera IDs of {' and '.join(self.labels)} together exceed 63 bits: "
                "give names, with a letter, instead of such large numbers"
            )


def plan(
    sources: Sequence[ImageSet],
    shards: int,
    copies: int,
    seed: int,
    parser: MaskMaker | None = None,
) -> ConversionPlan:
    """Decides labels, order and shards of the records.

    Person labels are 0 ... n-1 over the sorted IDs of the training split's persons, camera labels
    over its cameras; records of other persons and cameras get -1. In a joint set the labels of a
    data set follow those of the one before, and so do the raw IDs of persons and cameras (not
    those of junk, distractors and unknown cameras), so that they stay unambiguous.

    Args:
        sources: data sets of one kind; more than one make a joint set.
        shards: number of files a split; fewer where a split has fewer records.
        copies: number of random-background copies of each training image.
        seed: seed of the order.
        parser: makes masks of the images that have none.

    Raises:
        UsageError: if the data sets cannot be joined.
        DataError: if there are no rows.
    """
    _check_sources(sources)
    name = "_".join(source.dataset for source in sources)
    persons, cameras = _Numbering(), _Numbering()
    entries: dict[str, list[Entry]] = {}
    infos: dict[str, SourceInfo] = {}
    for source in sources:
        if source.kind == "reid":
            _number(source, persons, cameras)
        infos[source.dataset] = source.info.shifted(persons.id_offset, cameras.id_offset)
        for row in source.rows:
            features = _features(row, source, persons, cameras)
            for copy in range(1 + copies if row.split == TRAIN else 1):
                entry = _entry(row, source, features, copy, parser)
                entries.setdefault(row.split, []).append(entry)
    placed = {
        split: _place(entries[split], name, split, shards, seed)
        for split in _SPLITS
        if split in entries
    }
    vocabularies = {entry.mask_vocabulary for found in entries.values() for entry in found} - {""}
    return ConversionPlan(
        name,
        sources[0].kind,
        common_vocabulary(vocabularies) if vocabularies else "",
        placed,
        persons.labels,
        cameras.labels,
        infos,
        parser,
    )


def _check_sources(sources: Sequence[ImageSet]) -> None:
    names = [source.dataset for source in sources]
    if len(set(names)) < len(names):
        raise UsageError(f"a joint set cannot hold a data set twice: {', '.join(names)}")
    if len({source.kind for source in sources}) > 1:
        raise UsageError(
            f"{' and '.join(names)} cannot be joined: re-identification and parsing data sets "
            "are converted apart"
        )
    for source in sources:
        if not source.rows:
            raise DataError(f"{source.dataset} has no images: nothing to convert")
        if source.vocabulary not in VOCABULARIES and any(r.mask_path for r in source.rows):
            raise UsageError(
                f"{source.dataset} has masks of unknown vocabulary: give mask_vocabulary, "
                f"one of {', '.join(VOCABULARIES)}"
            )


def _number(source: ImageSet, persons: _Numbering, cameras: _Numbering) -> None:
    trained = [row for row in source.rows if row.split == TRAIN]
    persons.add(
        source.dataset,
        trained=(row.person_id for row in trained if row.is_person),
        known=(row.person_id for row in source.rows),
    )
    cameras.add(
        source.dataset,
        trained=(row.camera_id for row in trained if row.camera_id != NO_CAMERA_ID),
        known=(row.camera_id for row in source.rows),
    )


def _features(
    row: Row | ParsingRow, source: ImageSet, persons: _Numbering, cameras: _Numbering
) -> dict[str, str | int]:
    features: dict[str, str | int] = {
        "image/key": row.key,
        "dataset/name": source.dataset,
        "dataset/split": row.split,
    }
    if isinstance(row, ParsingRow):
        return features
    trained = row.split == TRAIN
    person_label = persons.labels[source.dataset].get(row.person_id, -1) if trained else -1
    has_camera = row.camera_id != NO_CAMERA_ID
    return features | {
        "person/id": row.person_id + (persons.id_offset if row.is_person else 0),
        "person/label": person_label,
        "camera/id": row.camera_id + (cameras.id_offset if has_camera else 0),
        "camera/label": cameras.labels[source.dataset].get(row.camera_id, -1),
    }


def _entry(
    row: Row | ParsingRow,
    source: ImageSet,
    features: dict[str, str | int],
    copy: int,
    parser: MaskMaker | None,
) -> Entry:
    if copy:
        features = features | {"image/key": f"{row.key}+background{copy}"}
    made = parser.vocabulary if parser else ""
    vocabulary = source.vocabulary if row.mask_path else made
    return Entry(
        row.image_path,
        row.image_part,
        row.mask_path,
        row.mask_part,
        vocabulary,
        copy,
        features,
    )


def _place(
    entries: list[Entry], name: str, split: str, shards: int, seed: int
) -> dict[str, list[Entry]]:
    """Shuffles a split by a hash of the keys and cuts it into shards of equal size."""
    entries = sorted(entries, key=lambda entry: key_hash(entry.key, seed))
    shards = min(shards, len(entries))
    bounds = [len(entries) * i // shards for i in range(shards + 1)]
    return {
        shard_name(name, split, i, shards): entries[bounds[i] : bounds[i + 1]]
        for i in range(shards)
    }


def key_hash(key: str, seed: int) -> int:
    """Returns a 64-bit hash of a record's key, the same everywhere."""
    data = f"{seed}/{key}".encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
