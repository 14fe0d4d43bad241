"""What a converted folder says about itself: the contents of `dataset.json`."""

import dataclasses
import json
from pathlib import Path

from tfrecords_schema import schema
from tfreid.datasets import Split
from tfreid.errors import DataError

DATASET_JSON = "dataset.json"

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
        person_names: name of each published person ID that is not the name itself, as of a
            folder `anna`.
        camera_names: likewise of the cameras.
    """

    options: dict[str, str] = dataclasses.field(default_factory=dict)
    protocol: str = "market"
    split: Split | None = None
    excluded: dict[str, int] = dataclasses.field(default_factory=dict)
    mask_vocabulary: str = ""
    person_names: dict[int, str] = dataclasses.field(default_factory=dict)
    camera_names: dict[int, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_json(cls, values: dict) -> "SourceInfo":
        """Undoes `dataclasses.asdict` and JSON."""
        split = values["split"] and Split(
            **values["split"] | {"test_persons": tuple(values["split"]["test_persons"])}
        )
        names = {
            field: {int(number): name for number, name in values.get(field, {}).items()}
            for field in ("person_names", "camera_names")
        }
        return cls(**values | {"split": split} | names)


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

    def has_masks(self, split: str) -> bool:
        """Returns whether every record of the split carries a mask."""
        counts = self.splits[split]
        return counts.with_mask == counts.records

    def write(self, folder: Path) -> None:
        """Writes `dataset.json` into a folder."""
        text = json.dumps(dataclasses.asdict(self), indent=1)
        (folder / DATASET_JSON).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "RecordsInfo":
        """Reads `dataset.json` of a folder.

        Raises:
            DataError: if it cannot be understood, or its records follow another schema version.
        """
        path = folder / DATASET_JSON
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            expected = schema.version(values["kind"])
            if values["schema_version"] != expected:
                raise DataError(
                    f"{path}: the {values['kind']} records follow schema version "
                    f"{values['schema_version']}, this release reads version {expected}. "
                    "Re-run the conversion."
                )
            values["splits"] = {k: SplitInfo(**v) for k, v in values["splits"].items()}
            values["sources"] = {
                k: SourceInfo.from_json(v) for k, v in values.get("sources", {}).items()
            }
            values["mean_pixel"] = tuple(values["mean_pixel"])
            for name in ("person_labels", "camera_labels"):
                values[name] = _with_int_keys(values[name])
            return cls(**values)
        except DataError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path} is not the description of a converted data set ({error!r}). "
                "Re-run the conversion."
            ) from error


def _with_int_keys(labels: dict[str, dict[str, int]]) -> LabelMap:
    """Undoes JSON's turning of integer keys into texts."""
    return {name: {int(k): v for k, v in table.items()} for name, table in labels.items()}
