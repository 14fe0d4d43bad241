"""What a converted folder says about itself: the contents of `dataset.json`."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfrecords_schema import schema
from tfreid.datasets import PROTOCOLS, VOCABULARIES, Split, SplitChoice
from tfreid.errors import DataError
from tfreid.files import read_json, write_json
from tfreid.typed import typed

DATASET_JSON = "dataset.json"
MOST_SHARDS = 99_999
"""Of a split: TFDS's file names have five digits for them."""

LabelMap = dict[str, dict[int, int]]


@dataclasses.dataclass(frozen=True)
class SplitInfo:
    """Counts of one split.

    Attributes:
        records: number of records.
        persons: number of different person IDs above 0, that is, without junk and distractors.
        cameras: number of different camera IDs.
        shards: number of TFRecord files.
        with_mask: number of records that carry a mask.
    """

    records: int
    persons: int
    cameras: int
    shards: int
    with_mask: int


@dataclasses.dataclass(frozen=True)
class SourceInfo:
    """How one data set of a converted folder was read.

    Attributes:
        options: what was chosen where the data set leaves a choice, by option.
        protocol: key of `tfreid.datasets.PROTOCOLS`.
        split: which split, where the data set has several.
        excluded: number of images left out before the conversion, by the reason.
        mask_vocabulary: vocabulary of its masks on the disk, which may be finer than that of the
            records; empty where it has none, or an earlier release converted it.
        person_names: name of each person ID of the records, where the data set gives names, as that
            of a folder `anna` or `0007`.
        camera_names: likewise of the cameras.
    """

    options: dict[str, str] = dataclasses.field(default_factory=dict)
    protocol: str = "market"
    split: Split | None = None
    excluded: dict[str, int] = dataclasses.field(default_factory=dict)
    mask_vocabulary: str = ""
    person_names: dict[int, str] = dataclasses.field(default_factory=dict)
    camera_names: dict[int, str] = dataclasses.field(default_factory=dict)

    def shifted(self, persons: int, cameras: int) -> "SourceInfo":
        """Returns it with names by the IDs of a joint set, which are larger by these numbers."""
        return dataclasses.replace(
            self,
            person_names=_shifted(self.person_names, persons),
            camera_names=_shifted(self.camera_names, cameras),
        )


@dataclasses.dataclass(frozen=True)
class RecordsInfo:
    """A converted data set.

    Attributes:
        name: data set name; for a joint set, the names joined by an underscore.
        kind: record kind, `reid` or `parsing`.
        schema_version: version of the record schema that the shards follow.
        splits: counts by split name.
        num_persons: number of person labels (the training split's persons).
        num_cameras: number of camera labels (the training split's cameras).
        mean_pixel: mean RGB over all pixels of the training split, in [0, 255]; of all splits
            where there is no training split.
        mask_vocabulary: key of `tfreid.datasets.VOCABULARIES`, or empty where no record has a
            mask.
        synthetic: whether the images were drawn by the synthetic generator.
        fingerprint: hash of all records' contents; independent of their order and sharding.
        person_labels: person label by data set name and published person ID.
        camera_labels: camera label by data set name and published camera ID.
        made_by: command, package version and options of the conversion.
        sources: how each data set was read, by its name; empty where an earlier release
            converted it.
        own_backgrounds: whether the backgrounds were made of the records' own pictures.
    """

    name: str
    kind: str
    schema_version: int
    splits: dict[str, SplitInfo]
    num_persons: int
    num_cameras: int
    mean_pixel: tuple[float, float, float]
    mask_vocabulary: str
    synthetic: bool
    fingerprint: str
    person_labels: LabelMap
    camera_labels: LabelMap
    made_by: dict[str, object]
    sources: dict[str, SourceInfo] = dataclasses.field(default_factory=dict)
    own_backgrounds: bool = False

    def has_masks(self, split: str) -> bool:
        """Returns whether every record of the split carries a mask."""
        counts = self.splits[split]
        return counts.with_mask == counts.records

    def split_again(self, dataset: str) -> SplitChoice | None:
        """Returns the choice of the split that a data set has here; None where it has none.

        Where the persons have names, these choose: a person more or less changes the numbers.
        """
        source = self.sources.get(dataset)
        if source is None or source.split is None:
            return None
        split, names = source.split, source.person_names
        if len(self.sources) > 1:  # There IDs of names are larger than those of the split.
            persons = sorted({*self.person_labels.get(dataset, {}), *split.test_persons})
            in_order = [name for _, name in sorted(names.items())]
            names = dict(zip(persons, in_order, strict=False)) if len(persons) == len(names) else {}
        tested = tuple(names.get(person, str(person)) for person in split.test_persons if names)
        return SplitChoice(split.seed, split.index, split.test_persons, tested)

    def write(self, folder: Path) -> None:
        """Writes `dataset.json` into a folder."""
        write_json(folder / DATASET_JSON, dataclasses.asdict(self), checksum=True)

    @classmethod
    def read(cls, folder: Path) -> "RecordsInfo":
        """Reads `dataset.json` of a folder.

        Raises:
            DataError: if it was changed, says what cannot be, or its records follow another schema
                version.
        """
        path = folder / DATASET_JSON
        values = read_json(path)
        try:
            if isinstance(values, dict):
                _check_version(values, path)
            info = typed(cls, values)
            problem = next(_contradictions(info), None)
        except DataError:
            raise
        except ValueError as error:
            problem = str(error)
        if problem:
            raise DataError(
                f"{path} is not the description of a converted data set ({problem}). "
                "Re-run the conversion."
            )
        return info


def _shifted(names: Mapping[int, str], offset: int) -> dict[int, str]:
    """Adds the offset to all but the IDs of junk, distractors and unknown cameras."""
    return {number + (offset if number > 0 else 0): name for number, name in names.items()}


def _check_version(values: Mapping[str, Any], path: Path) -> None:
    """Refuses another version before its fields are, as they may be others."""
    kind, found = values.get("kind"), values.get("schema_version")
    if kind in schema.KINDS and type(found) is int and found != schema.version(kind):
        raise DataError(
            f"{path}: the {kind} records follow schema version {found}, this release reads "
            f"version {schema.version(kind)}. Re-run the conversion."
        )


def _contradictions(info: RecordsInfo) -> Iterator[str]:
    """Yields what is of the right type and cannot be."""
    known = {
        "kind": (info.kind, schema.KINDS),
        "mask_vocabulary": (info.mask_vocabulary, ("", *VOCABULARIES)),
        **{f"protocol of {k}": (v.protocol, PROTOCOLS) for k, v in info.sources.items()},
    }
    for name, (found, expected) in known.items():
        if found not in expected:
            yield f"{name}: expected one of {', '.join(filter(None, expected))}, found {found!r}"
    for name in (info.name, *info.splits):
        if not name or "/" in name or not name.isprintable():
            yield f"expected names that files can have, found {name!r}"
    for split, counts in info.splits.items():
        if min(dataclasses.astuple(counts)) < 0 or counts.with_mask > counts.records:
            yield f"the counts of {split} cannot be: {counts}"
        if not 0 < counts.shards <= MOST_SHARDS:
            yield f"{split}: expected 1 to {MOST_SHARDS:,} shards, found {counts.shards}"
    if not all(0 <= value <= 255 for value in info.mean_pixel):
        yield f"mean_pixel: expected values from 0 to 255, found {info.mean_pixel}"
    for name, count in (("person", info.num_persons), ("camera", info.num_cameras)):
        tables = getattr(info, f"{name}_labels").values()
        labels = sorted(label for table in tables for label in table.values())
        if labels != list(range(len(labels))) or len(labels) != count:
            yield f"{name}_labels: expected each of 0 to {count - 1} once"
