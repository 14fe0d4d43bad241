"""From rows to entries: labels, joint sets, the order of the records and their shards.

All of this is decided before any file is opened, from the rows alone, so that it does not depend
on how many workers convert.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tfreid.datasets import VOCABULARIES, ParsingRow, Row
from tfreid.datasets.row import NO_CAMERA_ID
from tfreid.datasets.vocabulary import common_vocabulary
from tfreid.errors import DataError, UsageError
from tfreid.files import bytes_of
from tfreid.records.entries import (
    TRAIN,
    Entry,
    Numbered,
    ShardEntries,
    copy_key,
    key_hash,
)
from tfreid.records.image_set import ImageSet
from tfreid.records.info import LabelMap, SourceInfo
from tfreid.records.mask_maker import MaskMaker
from tfreid.records.records import shard_name

_LARGEST_ID = 2**63 - 1
_SPLITS = (TRAIN, "val", "query", "gallery")


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
    shards: dict[str, dict[str, ShardEntries]]
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
        return bytes_of(entry.image_path for entry in self._entries() if not entry.image_part)

    @property
    def num_parsed(self) -> int:
        """Number of records whose mask the parser is to make."""
        return sum(1 for entry in self._entries() if entry.mask_vocabulary and not entry.mask_path)

    def _entries(self) -> Iterator[Entry]:
        for found in self.shards.values():
            for shard in found.values():
                yield from shard


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
    rows: dict[str, list[tuple[Numbered, Row | ParsingRow]]] = {}
    infos: dict[str, SourceInfo] = {}
    for source in sources:
        if source.kind == "reid":
            _number(source, persons, cameras)
        infos[source.dataset] = source.info.shifted(persons.id_offset, cameras.id_offset)
        numbered = Numbered(
            source,
            persons.labels.get(source.dataset, {}),
            cameras.labels.get(source.dataset, {}),
            persons.id_offset,
            cameras.id_offset,
            parser,
        )
        for row in source.rows:
            rows.setdefault(row.split, []).append((numbered, row))
    placed = {
        split: _place(rows[split], 1 + copies if split == TRAIN else 1, name, split, shards, seed)
        for split in _SPLITS
        if split in rows
    }
    vocabularies = {s.vocabulary(row) for found in rows.values() for s, row in found} - {""}
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


def _place(
    rows: Sequence[tuple[Numbered, Row | ParsingRow]],
    copies: int,
    name: str,
    split: str,
    shards: int,
    seed: int,
) -> dict[str, ShardEntries]:
    """Shuffles a split by a hash of the keys and cuts it into shards of equal size."""
    count = len(rows) * copies
    keys = (copy_key(row.key, copy) for _, row in rows for copy in range(copies))
    hashes = np.fromiter((key_hash(key, seed) for key in keys), np.uint64, count)
    order = np.argsort(hashes, kind="stable")
    shards = min(shards, count)
    bounds = [count * i // shards for i in range(shards + 1)]
    return {
        shard_name(name, split, i, shards): ShardEntries(
            rows, copies, order[bounds[i] : bounds[i + 1]]
        )
        for i in range(shards)
    }
