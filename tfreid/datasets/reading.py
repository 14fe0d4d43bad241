"""What a reader returns: rows, and what must be known to compare results on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tfreid.datasets.row import ParsingRow, Row
from tfreid.datasets.splits import Split


@dataclass(frozen=True)
class SplitCounts:
    """Counts of one split; `None` where nothing is published or nothing can be counted.

    Attributes:
        images: Image files, junk and distractors included.
        persons: Different persons, junk and distractors not counted.
        cameras: Different cameras.
        junk: Images with person ID -1.
        distractors: Images with person ID 0.
    """

    images: int | None
    persons: int | None = None
    cameras: int | None = None
    junk: int | None = None
    distractors: int | None = None


@dataclass(frozen=True)
class Reading:
    """A data set as read.

    Attributes:
        rows: One an image, sorted by key.
        protocol: Key of `PROTOCOLS`: how results on these rows are measured.
        published: Published counts by split, of what was asked for.
        published_total: Published counts of all splits together, where there are any.
        split: Which split this is, where the data set has several.
        excluded: Number of images that the data set has and the rows have not, by the reason.
        passed_over: Number of files that the reader saw and did not read, by the folder and the
            extension.
        person_names: Name of each person ID, where the data give names, which may be numbers.
        camera_names: Likewise of the cameras.
    """

    rows: list[Row] | list[ParsingRow]
    protocol: str = "market"
    published: Mapping[str, SplitCounts] = field(default_factory=dict)
    published_total: SplitCounts | None = None
    split: Split | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    person_names: Mapping[int, str] = field(default_factory=dict)
    camera_names: Mapping[int, str] = field(default_factory=dict)

    def for_training(self) -> "Reading":
        """Returns the same images, all of the training split."""
        published = {"train": self.published_total} if self.published_total else {}
        rows = [replace(row, split="train") for row in self.rows]
        return replace(self, rows=rows, published=published, published_total=None, split=None)
