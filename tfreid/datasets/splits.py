"""Training and test splits, for data that come without one or with several."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tfreid.datasets.protocols import PROTOCOLS
from tfreid.datasets.row import ParsingRow, Row, cameras_known
from tfreid.errors import DataError, UsageError


@dataclass(frozen=True)
class SplitChoice:
    """Which split a user asks for; None leaves it to the data set.

    Attributes:
        seed: Of the splits, where they are drawn.
        index: Which of several, from 0.
        test_persons: The test persons themselves, as an earlier reading drew them; empty tests
            nobody.
        test_names: Their names, where the data set gives names.
        test_all: Whether everybody who can be tested is, where the split is drawn.
    """

    seed: int | None = None
    index: int | None = None
    test_persons: tuple[int, ...] | None = None
    test_names: tuple[str, ...] = ()
    test_all: bool = False


@dataclass(frozen=True)
class Split:
    """One of several ways to part a data set into training and test.

    Attributes:
        index: Which, from 0.
        of: How many a published result is the mean of.
        seed: What it was drawn with; None where it is published with the data set.
        test_persons: The persons of the test, ascending; none where images are drawn, whose
            persons are not known.
    """

    index: int
    of: int
    seed: int | None
    test_persons: tuple[int, ...]

    def __str__(self) -> str:
        """Names the split for people."""
        which = f"split {self.index} of {self.of}" if self.of > 1 else ""
        origin = "published" if self.seed is None else f"drawn with seed {self.seed}"
        who = f"{len(self.test_persons):,} test persons" if self.test_persons else ""
        return ", ".join(filter(None, [which, who, origin]))


def draw_persons(persons: Iterable[int], count: int, choice: SplitChoice, of: int) -> Split:
    """Draws the test persons.

    Args:
        persons: Those who can be tested.
        count: How many of them are.
        choice: The seed and the split; 0 and the first unless given. Its test persons, where
            given, are taken as they are.
        of: Number of splits.

    Raises:
        UsageError: There is no such split, or a given test person is none of `persons`.
        DataError: There are too few persons.
    """
    persons, seed, index = sorted(set(persons)), choice.seed or 0, choice.index or 0
    _check_index(index, of)
    if choice.test_persons is not None:
        return Split(index, of, seed, _known(choice.test_persons, persons))
    if choice.test_all:
        return Split(index, of, seed, tuple(persons))
    if len(persons) < count:
        raise DataError(
            f"a split with {count} test persons needs as many that can be tested, "
            f"found {len(persons):,}"
        )
    part = f"{seed}.{index}" if index else f"{seed}"
    drawn = sorted(persons, key=lambda person: _draw(part, f"person {person}"))[-count:]
    return Split(index, of, seed, tuple(sorted(drawn)))


def by_name(choice: SplitChoice, numbers: Mapping[str, int]) -> SplitChoice:
    """Makes given test persons those of the given names, where there are names.

    Args:
        choice: The split.
        numbers: Number of each person by name; others than when the test persons were drawn, if
            persons came or went.

    Raises:
        UsageError: A test person is not among them.
    """
    missing = sorted(set(choice.test_names) - set(numbers))
    if missing:
        raise UsageError(
            f"the given split tests person {missing[0]}, who is not among the "
            f"{len(numbers):,} persons here: it was made from other data"
        )
    if not choice.test_names:
        return choice
    return replace(choice, test_persons=tuple(numbers[name] for name in choice.test_names))


def published_split(
    persons: Iterable[int], test_sets: Sequence[tuple[int, ...]], choice: SplitChoice
) -> Split:
    """Chooses among splits that are published with a data set.

    Args:
        persons: Those whom the data set has images of.
        test_sets: The test persons of each split, ascending.
        choice: The split; the first unless given. Its test persons, where given, are taken as
            they are.

    Raises:
        UsageError: There is no such split, it is asked for by seed, or a given test person is
            none of `persons`.
    """
    index = choice.index or 0
    _check_index(index, len(test_sets))
    if choice.seed is not None:
        raise UsageError(
            f"the {len(test_sets)} splits are published, not drawn: choose by index, without a seed"
        )
    if choice.test_persons is None:
        return Split(index, len(test_sets), None, test_sets[index])
    return Split(index, len(test_sets), None, _known(choice.test_persons, persons))


def assign_two_cameras(
    rows: Sequence[Row], test_persons: Iterable[int], query_camera: int
) -> list[Row]:
    """Trains on all but the test persons, whose one camera asks and whose others answer.

    Args:
        rows: Rows of one data set; their splits are replaced.
        test_persons: Persons of the test.
        query_camera: Camera ID of the queries.

    Returns:
        The rows in their order, with their new splits.
    """
    tested = set(test_persons)

    def split_of(row: Row) -> str:
        if row.person_id not in tested:
            return "train"
        return "query" if row.camera_id == query_camera else "gallery"

    return [replace(row, split=split_of(row)) for row in rows]


def draw_random_half(
    rows: Sequence[Row], choice: SplitChoice, count: int | None = None
) -> tuple[list[Row], Split]:
    """Splits by person, for the protocol `random_half` between camera 1 and camera 2.

    Test persons are drawn among those whom both cameras saw. Camera 1 asks and camera 2 answers;
    everybody else trains.

    Args:
        rows: Rows of one data set with these two cameras; their splits are replaced.
        choice: The seed and the split, or the test persons.
        count: Number of test persons to draw; half unless given.

    Returns:
        The rows in their order, with their new splits, and the split.

    Raises:
        UsageError: As `draw_persons`.
        DataError: As `draw_persons`, or there are fewer than two persons to draw from.
    """
    seen_by_a, seen_by_b = ({r.person_id for r in rows if r.camera_id == c} for c in (1, 2))
    persons = seen_by_a & seen_by_b
    if len(persons) < 2:
        raise DataError(
            f"a split by person needs two persons or more whom both cameras saw, found "
            f"{len(persons)} in {len(rows):,} images"
        )
    count = count or (len(persons) + 1) // 2
    split = draw_persons(persons, count, choice, of=PROTOCOLS["random_half"].num_splits)
    return assign_two_cameras(rows, split.test_persons, query_camera=1), split


def draw_images(
    rows: Sequence[ParsingRow], share: float, choice: SplitChoice
) -> tuple[list[ParsingRow], Split]:
    """Splits images of persons who are not known: some are for the test, the others train.

    Args:
        rows: Rows of one data set; their splits are replaced.
        share: Of the images, those to be drawn for the test; one at least.
        choice: Another seed draws other images; there is one split a seed.

    Returns:
        The rows in their order, with their new splits, and the split.

    Raises:
        UsageError: There is no such split.
    """
    _check_index(choice.index or 0, of=1)
    split = Split(0, of=1, seed=choice.seed or 0, test_persons=())
    count = max(1, round(share * len(rows)))
    keys = sorted((row.key for row in rows), key=lambda key: _draw(f"{split.seed}", key))
    drawn = set(keys[:count])
    rows = [replace(row, split="val" if row.key in drawn else "train") for row in rows]
    return rows, split


def draw_split(rows: Sequence[Row], choice: SplitChoice) -> tuple[list[Row], Split]:
    """Splits by person: half of the persons train, the others are the test.

    Of a test person's images, one a camera becomes a query (one in all where cameras are not
    known) as long as every query keeps a match in the gallery, which takes the other images,
    junk and distractors. All choices follow from hashes of the seed and the person or image, so
    that they do not depend on the order of rows or on a library's random numbers.

    Args:
        rows: Rows of one data set; their splits are replaced.
        choice: Another seed draws another split; there is one a seed.

    Returns:
        The rows in their order, with their new splits, and the split.

    Raises:
        UsageError: As `draw_persons`.
        DataError: There are fewer than two persons.
    """
    by_person: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.is_person:
            by_person[row.person_id].append(row)
    if len(by_person) < 2:
        raise DataError(
            f"who can be told from whom needs two persons or more, found {len(by_person)} "
            f"in {len(rows):,} images"
        )
    split = draw_persons(by_person, (len(by_person) + 1) // 2, choice, of=1)
    any_camera = not cameras_known(rows)
    queries = {
        row.key
        for person in split.test_persons
        for row in _queries(by_person[person], f"{split.seed}", any_camera)
    }
    training = set(by_person) - set(split.test_persons)
    return [replace(row, split=_split_of(row, training, queries)) for row in rows], split


def _split_of(row: Row, training: set[int], queries: set[str]) -> str:
    if row.person_id in training:
        return "train"
    return "query" if row.key in queries else "gallery"


def _queries(rows: Sequence[Row], seed: str, any_camera: bool) -> list[Row]:
    """Picks a test person's queries; a match is by another camera, or with `any_camera` by any."""
    gallery = sorted(rows, key=lambda row: _draw(seed, row.key))
    queries: list[Row] = []
    for camera in dict.fromkeys(row.camera_id for row in gallery):
        candidate = next(row for row in gallery if row.camera_id == camera)
        others = [row for row in gallery if row is not candidate]
        cameras_left = {row.camera_id for row in others}
        asked = {row.camera_id for row in [*queries, candidate]}
        if others and (any_camera or all(cameras_left - {camera} for camera in asked)):
            queries.append(candidate)
            gallery = others
    return queries


def _known(test_persons: Iterable[int], persons: Iterable[int]) -> tuple[int, ...]:
    """Sorts given test persons, all of whom must be among `persons`."""
    known = set(persons)
    strangers = sorted(set(test_persons) - known)
    if strangers:
        raise UsageError(
            f"the given split tests person {strangers[0]}, who is not among the "
            f"{len(known):,} persons that can be tested here: it was made from other data"
        )
    return tuple(sorted(test_persons))


def _check_index(index: int, of: int) -> None:
    if not 0 <= index < of:
        raise UsageError(f"there is no split {index}: expected 0 to {of - 1}")


def _draw(seed: str, text: str) -> bytes:
    return hashlib.sha256(f"{seed}/{text}".encode()).digest()
