"""Which data a table is trained and tested on."""

from dataclasses import replace

import pytest

from tests.reproduction.papers import TABLE, data_folder
from tfreid.datasets import Split
from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS
from tfreid.records.info import SourceInfo
from tfreid.reproduction import settings, settings_of

PLAIN = replace(TABLE, rows=TABLE.rows[:2])
ACROSS = replace(PLAIN, across=True)


@pytest.fixture(autouse=True)
def every_variant(monkeypatch):
    """The test images of all folders, which have no records, allow every variant."""
    monkeypatch.setattr(settings, "available_variants", lambda folder: VARIANTS)


@pytest.fixture
def market(tmp_path):
    return data_folder(tmp_path / "market")


@pytest.fixture
def duke(tmp_path):
    return data_folder(tmp_path / "duke", name="dukemtmc")


def test_each_folder_is_tested_on_itself(market, duke):
    found = settings_of(PLAIN, [market, duke])
    assert [(s.name, s.train, s.test) for s in found] == [
        ("market1501", market, market),
        ("dukemtmc", duke, duke),
    ]


def test_test_data_replace_the_trained_on(tmp_path, market, duke):
    joint = data_folder(tmp_path / "joint", name="dukemtmc_market1501")
    found = settings_of(PLAIN, [joint], [market, duke])
    assert [(s.train, s.test) for s in found] == [(joint, market), (joint, duke)]
    assert found[0].name == "dukemtmc_market1501→market1501"


def test_models_are_tested_on_persons_that_they_did_not_learn_from(tmp_path):
    """A joint set of one split of a data set is no training data for another split."""

    def folder(name, index, dataset):
        split = Split(index, 20, None, (index,))
        sources = {"cuhk03": SourceInfo({}, "cuhk03_classic", split)}
        return data_folder(tmp_path / name, name=dataset, sources=sources)

    joint = [folder(f"joint{index}", index, "cuhk03_market1501") for index in (0, 1)]
    test = [folder(f"test{index}", index, "cuhk03") for index in (0, 1)]
    found = settings_of(PLAIN, joint, test)
    assert [(s.train, s.test) for s in found] == list(zip(joint, test, strict=True))
    with pytest.raises(UsageError, match=r"test1 is one split of cuhk03, and all data to train on"):
        settings_of(PLAIN, joint[:1], test)
    sources = {"cuhk03": SourceInfo({"protocol": "new"}, "market", None)}
    new = data_folder(tmp_path / "new", name="cuhk03_market1501", sources=sources)
    with pytest.raises(UsageError, match=r"test0 is one split of cuhk03"):
        settings_of(PLAIN, [new], test)


def test_tables_across_data_sets_take_all_ordered_pairs(market, duke):
    found = settings_of(ACROSS, [market, duke])
    assert [s.name for s in found] == ["market1501→dukemtmc", "dukemtmc→market1501"]
    assert found[1].train is duke


def test_occluded_persons_are_for_tests_alone(market, duke):
    occluded = replace(ACROSS, occluded=True)
    (found,) = settings_of(occluded, [market], [duke])
    assert (found.name, found.train, found.test) == ("market1501→dukemtmc", market, duke)
    with pytest.raises(UsageError, match=r"reid records \(data\) to train on and, as test_data"):
        settings_of(occluded, [market, duke])


def test_folders_of_one_name_are_told_apart(tmp_path, market):
    other = data_folder(tmp_path / "other")
    names = [setting.name for setting in settings_of(PLAIN, [market, other])]
    assert names == [f"market1501 ({market.path})", f"market1501 ({other.path})"]


def test_copies_accompany_their_data_set(tmp_path, market, duke):
    copies = data_folder(tmp_path / "copies", made_by={"random_backgrounds": 1})
    found = settings_of(TABLE, [market, copies, duke])
    assert [setting.train for setting in found] == [market, duke]
    assert found[0].training_folder(1) is copies
    assert found[1].training_folder(1) is None
    assert [setting.train for setting in settings_of(PLAIN, [copies])] == [copies]


def test_copies_are_of_the_same_choices_and_split(tmp_path):
    """Copies of another split show in training who is tested."""

    def folder(name, index, boxes="labeled", **facts):
        split = Split(index, 20, None, (index,))
        sources = {"cuhk03": SourceInfo({"boxes": boxes}, "cuhk03_classic", split)}
        return data_folder(tmp_path / name, name="cuhk03", sources=sources, **facts)

    made = {"made_by": {"random_backgrounds": 1}}
    plain = [folder(f"split{index}", index) for index in (0, 1)]
    copies = [folder(f"copies{index}", index, **made) for index in (0, 1)]
    found = settings_of(TABLE, [*plain, *reversed(copies)])
    assert [setting.training_folder(1) for setting in found] == copies
    for other in (folder("detected", 0, "detected", **made), copies[1]):
        with pytest.raises(UsageError, match=rf"{other.path} holds copies .*, and no other folder"):
            settings_of(TABLE, [plain[0], copies[0], other])
    again = folder("again", 0, **made)
    with pytest.raises(UsageError, match=rf"{copies[0].path} and {again.path} hold the same"):
        settings_of(TABLE, [plain[0], copies[0], again])


def test_what_does_not_fit_is_refused(tmp_path, market, monkeypatch):
    parsing = data_folder(tmp_path / "lip", kind="parsing", name="lip")
    with pytest.raises(UsageError, match="holds parsing records and paper/1 is tested on reid"):
        settings_of(PLAIN, [parsing])
    with pytest.raises(UsageError, match=r"needs reid records \(data\), twice"):
        settings_of(ACROSS, [market])
    with pytest.raises(UsageError, match="has no split 'val'"):
        settings_of(replace(PLAIN, data="parsing"), [parsing])
    labels = {"market1501": {1: 0}, "dukemtmc": {}}
    facts = {"name": "market1501_dukemtmc", "num_persons": 1, "person_labels": labels}
    joint = data_folder(tmp_path / "joint", **facts)
    with pytest.raises(UsageError, match=r"joint set \(market1501, dukemtmc\).*as test_data"):
        settings_of(PLAIN, [joint])
    monkeypatch.setattr(settings, "available_variants", lambda folder: ("original",))
    with pytest.raises(UsageError, match="tests on random_background images"):
        settings_of(TABLE, [market])
