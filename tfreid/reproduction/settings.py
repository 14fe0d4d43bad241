"""On which data a table is measured."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfreid.errors import UsageError
from tfreid.evaluation import available_variants
from tfreid.records import Records
from tfreid.reproduction.table import Table

KIND_ARGUMENTS = {"reid": "data", "parsing": "parsing_data"}
"""Kind of records to the argument that gives them, here and in `tfreid.train`."""


@dataclass(frozen=True)
class Setting:
    """Data to train on and data to test on.

    Attributes:
      name: unique among a table's settings.
      train: converted folder of `Table.data` records.
      test: the same, or another one.
      copies: number of copies before random backgrounds to `train` with such copies.
      others: other kinds of records to the folder that all methods read.
    """

    name: str
    train: Records
    test: Records
    copies: Mapping[int, Records] = field(default_factory=dict)
    others: Mapping[str, Records] = field(default_factory=dict)

    @property
    def is_synthetic(self) -> bool:
        """Whether any of the images were drawn by the synthetic generator."""
        return self.train.info.synthetic or self.test.info.synthetic

    def training_folder(self, copies: int) -> Records | None:
        """Returns the data that a row with so many copies trains on, None where they lack."""
        return self.copies.get(copies) if copies else self.train


def settings_of(
    table: Table,
    train: Sequence[Records],
    test: Sequence[Records] = (),
    others: Mapping[str, Records] | None = None,
) -> list[Setting]:
    """Pairs data to train on with data to test on.

    Args:
      table: a table across data sets tests on every folder but the one trained on, one of
        occluded persons only on `test`; others test where they train.
      train: the folders. Where rows of the table need copies before random backgrounds, those
        made with them accompany the folder of the same data set, choices and split.
      test: folders to test on instead.
      others: other kinds of records to their folder, for stages that read them.

    Raises:
      UsageError: if there is too little or the wrong kind of data, the test images do not allow
        what the table measures, or all models would learn from persons who are tested.
    """
    for folder in (*train, *test):
        if folder.info.kind != table.data:
            raise UsageError(
                f"{folder.path} holds {folder.info.kind} records and {table.name} is tested on "
                f"{table.data} records"
            )
    copies = {row.copies for row in table.rows} - {0}
    made = [folder for folder in train if copies and _copies(folder)]
    plain = [folder for folder in train if folder not in made]
    pairs = _pairs(table, plain, test)
    names = _unique_names([*plain, *test])
    for folder in made:
        if not any(_is_same_data(folder, other) for other in plain):
            raise UsageError(
                f"{folder.path} holds copies before random backgrounds, and no other folder the "
                f"same data set {folder.info.name}, choices and split without them: give that "
                f"one, too ({KIND_ARGUMENTS[table.data]})"
            )
    for _, tested in pairs:
        _check_test_images(table, tested)
    return [
        Setting(
            name=names[b.path] if a is b else f"{names[a.path]}→{names[b.path]}",
            train=a,
            test=b,
            copies=_copies_of(a, made),
            others=others or {},
        )
        for a, b in pairs
    ]


def _copies_of(folder: Records, made: Sequence[Records]) -> dict[int, Records]:
    found: dict[int, Records] = {}
    for other in made:
        if _is_same_data(other, folder):
            first = found.setdefault(_copies(other), other)
            if first is not other:
                raise UsageError(
                    f"{first.path} and {other.path} hold the same copies before random "
                    f"backgrounds of {folder.path}: give one of them"
                )
    return found


def _is_same_data(one: Records, other: Records) -> bool:
    """Whether both are of one data set and, where they say so, of the same choices and split."""
    chosen = [
        {
            name: (source.options, source.split and source.split.test_persons)
            for name, source in folder.info.sources.items()
        }
        for folder in (one, other)
    ]
    return one.info.name == other.info.name and (not all(chosen) or chosen[0] == chosen[1])


def _copies(folder: Records) -> int:
    return int(folder.info.made_by.get("random_backgrounds", 0))


def _pairs(
    table: Table, train: Sequence[Records], test: Sequence[Records]
) -> list[tuple[Records, Records]]:
    if test:
        pairs = [(a, b) for b in test for a in train if not _is_other_split(a, b)]
        pairs.sort(key=lambda pair: train.index(pair[0]))
        for folder in (b for b in test if train and b not in [pair[1] for pair in pairs]):
            raise UsageError(
                f"{folder.path} is one split of {folder.info.name}, and all data to train on are "
                "of another, with persons whom it tests: convert them with the same split "
                "(split_from)"
            )
    elif table.occluded:
        pairs = []
    elif table.across:
        pairs = itertools.permutations(train, 2)
    else:
        pairs = zip(train, train, strict=True)
    pairs = [
        (a, b) for a, b in pairs if not table.across or a.info.fingerprint != b.info.fingerprint
    ]
    if not pairs:
        raise UsageError(
            f"{table.name} needs {table.data} records ({KIND_ARGUMENTS[table.data]})"
            f"{_what_else(table)}"
        )
    return pairs


def _is_other_split(train: Records, test: Records) -> bool:
    """Whether data to train on are of another split of the data set that is tested."""
    trained_on, tested = (folder.info.sources.get(test.info.name) for folder in (train, test))
    if train.path == test.path or not (trained_on and tested):
        return False
    one, other = trained_on.split, tested.split
    if one and other:
        return one.test_persons != other.test_persons
    protocols = [source.options.get("protocol") for source in (trained_on, tested)]
    return bool(one or other) or protocols[0] != protocols[1]


def _what_else(table: Table) -> str:
    if table.occluded:
        return " to train on and, as test_data, other data sets, of occluded persons, to test on"
    return ", twice: two data sets" if table.across else ""


def _unique_names(folders: Sequence[Records]) -> dict:
    """Path to a name for readers; data sets of one name are told apart by their path."""
    folders = list({folder.path: folder for folder in folders}.values())
    count = Counter(folder.info.name for folder in folders)
    return {
        folder.path: folder.info.name
        if count[folder.info.name] == 1
        else f"{folder.info.name} ({folder.path})"
        for folder in folders
    }


def _check_test_images(table: Table, folder: Records) -> None:
    if table.data == "parsing":
        folder.shards("val")
        return
    if len(names := list(folder.info.person_labels)) > 1:
        raise UsageError(
            f"{folder.path} is a joint set ({', '.join(names)}), which is measured one data set at "
            "a time: convert each to be tested on alone and give it as test_data"
        )
    lacking = table.variants - set(available_variants(folder))
    if lacking:
        raise UsageError(
            f"{table.name} tests on {', '.join(sorted(lacking))} images, with masks of the "
            "query and gallery images, and random_background with background images, which "
            f"{folder.path} lacks: convert it anew (python -m tfreid.convert --masks_root, "
            "--backgrounds_root)"
        )
