"""Counts of a data set, and the problems that would spoil training or evaluation."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from types import MappingProxyType

from tfreid.datasets.copies import MOST_DIFFERENT_BITS, copies
from tfreid.datasets.dataset import Dataset
from tfreid.datasets.files import MAX_IMAGE_MPX, NOTES, Facts, facts_of
from tfreid.datasets.reading import Reading, SplitCounts
from tfreid.datasets.row import (
    DISTRACTOR_PERSON_ID,
    JUNK_PERSON_ID,
    NO_CAMERA_ID,
    ParsingRow,
    Row,
    cameras_known,
)

NO_QUERY = (
    "no query, so nothing can be tested: a test person needs two images, of two cameras where "
    "cameras are known"
)
"""Said where test persons have none."""


@dataclass(frozen=True)
class Problem:
    """Something that the user should know before training or evaluating.

    Attributes:
        title: What it is.
        names: What it concerns: keys of images, persons or files.
        is_error: Whether files are damaged, so that the data cannot be used whole.
    """

    title: str
    names: tuple[str, ...]
    is_error: bool = False


def count_splits(dataset: Dataset, rows: Sequence[Row | ParsingRow]) -> dict[str, SplitCounts]:
    """Counts each split that has rows, in the order of use."""
    by_split = defaultdict(list)
    for row in rows:
        by_split[row.split].append(row)
    count = _count_reid if dataset.kind == "reid" else _count_parsing
    return {split: count(by_split[split]) for split in dataset.splits if split in by_split}


def _count_reid(rows: Sequence[Row]) -> SplitCounts:
    persons = [row.person_id for row in rows]
    return SplitCounts(
        images=len(rows),
        persons=len({row.person_id for row in rows if row.is_person}),
        cameras=len({row.camera_id for row in rows}),
        junk=persons.count(JUNK_PERSON_ID),
        distractors=persons.count(DISTRACTOR_PERSON_ID),
    )


def _count_parsing(rows: Sequence[ParsingRow]) -> SplitCounts:
    return SplitCounts(images=len(rows))


def differences_of(dataset: Dataset, reading: Reading) -> list[str]:
    """Compares a reading with the published counts, by split and altogether; `differences`."""
    lines = differences(reading.published, count_splits(dataset, reading.rows))
    if reading.published_total is None:
        return lines
    counts = count_splits(dataset, reading.for_training().rows)
    return lines + differences({"all": reading.published_total}, {"all": counts["train"]})


def differences(
    published: Mapping[str, SplitCounts], counts: Mapping[str, SplitCounts]
) -> list[str]:
    """Compares counts with the published ones.

    Args:
        published: The published counts by split.
        counts: As `count_splits` returns them.

    Returns:
        A line for every number that differs, naming the expected and the found.
    """
    lines = []
    for split, expected_counts in published.items():
        found = asdict(counts[split]) if split in counts else {}
        for what, expected in asdict(expected_counts).items():
            number = found.get(what, 0)
            if expected is not None and number != expected:
                lines.append(f"{split} {what}: expected {expected:,}, found {number:,}")
    return lines


def passed_over_problems(reading: Reading) -> list[Problem]:
    """Names the kinds of files that the reader saw and did not read, if there are any."""
    kinds = tuple(f"{files:,} {kind}" for kind, files in reading.passed_over.items())
    total = sum(reading.passed_over.values())
    title = f"{total:,} files passed over, which no split owns or whose format is not read"
    return [Problem(title, kinds)] if kinds else []


def protocol_problems(
    rows: Sequence[Row], names: Mapping[int, str] = MappingProxyType({})
) -> list[Problem]:
    """Finds what training or the evaluation protocol cannot use, without opening files.

    Args:
        rows: All rows of a re-identification data set.
        names: Names of persons, of those that have one.

    Returns:
        The problems that there are.
    """
    with_cameras = cameras_known(rows)
    train = _by_person(row for row in rows if row.split == "train")
    test = _by_person(row for row in rows if row.split != "train")
    match = "the same person and another camera" if with_cameras else "the same person"
    unmatched = f"queries without any valid match (a gallery image with {match})"
    found = {
        unmatched: _unmatched_queries(rows, with_cameras),
        "persons with one image": _people(train, test, names, lambda images: len(images) == 1),
        "persons with one camera": _people(train, test, names, _one_camera) if with_cameras else [],
        "person IDs shared by train and test": _shared(train, test, names),
        "training images of person -1 (junk) or 0 (distractor), which have no label": [
            row.key for row in rows if row.split == "train" and not row.is_person
        ],
        "images without a mask, while others have one": _without_mask(rows),
    }
    problems = [Problem(title, tuple(names)) for title, names in found.items() if names]
    if not with_cameras and any(row.camera_id != NO_CAMERA_ID for row in rows):
        problems.append(Problem("a single camera: evaluate with --protocol=no_camera", ()))
    if test and not any(row.split == "query" for row in rows):
        problems.append(Problem(NO_QUERY, ()))
    return problems


def _by_person(rows: Iterable[Row]) -> dict[int, list[Row]]:
    people: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.is_person:
            people[row.person_id].append(row)
    return dict(sorted(people.items()))


def _people(
    train: dict[int, list[Row]],
    test: dict[int, list[Row]],
    names: Mapping[int, str],
    concerned: Callable[[list[Row]], bool],
) -> list[str]:
    return [
        f"person {names.get(person, person)} in {part}, as in {images[0].key}"
        for part, people in (("train", train), ("test", test))
        for person, images in people.items()
        if concerned(images)
    ]


def _shared(
    train: dict[int, list[Row]], test: dict[int, list[Row]], names: Mapping[int, str]
) -> list[str]:
    return [
        f"person {names.get(person, person)}, as in {images[0].key} and {test[person][0].key}"
        for person, images in train.items()
        if person in test
    ]


def _one_camera(images: list[Row]) -> bool:
    return len({image.camera_id for image in images}) == 1


def _unmatched_queries(rows: Sequence[Row], with_cameras: bool) -> list[str]:
    gallery = _by_person(row for row in rows if row.split == "gallery")
    cameras = {person: {row.camera_id for row in images} for person, images in gallery.items()}
    return [
        row.key
        for row in rows
        if row.split == "query"
        and not cameras.get(row.person_id, set()) - ({row.camera_id} if with_cameras else set())
    ]


def _without_mask(rows: Sequence[Row]) -> list[str]:
    without = [row.key for row in rows if row.mask_path is None]
    return without if len(without) < len(rows) else []


def file_problems(
    rows: Sequence[Row | ParsingRow],
    num_classes: int | None,
    on_file: Callable[[], None] = lambda: None,
    max_mpx: float = MAX_IMAGE_MPX,
) -> list[Problem]:
    """Opens every image and mask, several at a time.

    Args:
        rows: The rows.
        num_classes: Classes of the masks' vocabulary, or None to accept all.
        on_file: Called after each row, to show progress.
        max_mpx: Megapixels of the largest image; larger ones count as unreadable.

    Returns:
        The damaged files and what is wrong with each, first; images that are kept but are not
        what most are; and pictures that are there twice where that would spoil a result.
    """
    facts: list[Facts] = []
    with ThreadPoolExecutor() as pool:
        for found in pool.map(lambda row: facts_of(row, num_classes, max_mpx), rows):
            facts.append(found)
            on_file()
    damaged = tuple(found.damage for found in facts if found.damage)
    problems = [Problem("unreadable files", damaged, is_error=True)] if damaged else []
    for note, title in NOTES.items():
        names = [row.key for row, found in zip(rows, facts, strict=True) if note in found.notes]
        problems += [Problem(title, tuple(names))] if names else []
    if all(isinstance(row, Row) for row in rows):
        same, near = copies(rows, [found.fingerprint for found in facts])
        where = "in query and gallery, or in training and test"
        alike = f"nearly equal pictures {where} (at most {MOST_DIFFERENT_BITS} of 256 bits differ)"
        problems += [Problem(f"the same picture {where}", tuple(same))] if same else []
        problems += [Problem(alike, tuple(near))] if near else []
    return problems
