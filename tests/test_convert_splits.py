"""Splits that `python -m tfreid.convert` draws, keeps in `dataset.json` and takes again."""

import shutil

import pytest

from tests.commands import run_command, run_here
from tests.datasets.cuhk03_miniatures import release as cuhk03
from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import cuhk01, prid, viper
from tests.edited_json import edited
from tfreid import convert as command
from tfreid.datasets.check import NO_QUERY
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records import Records


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data sets")
    for write in (viper, cuhk01, cuhk03, prid):
        write(root)
    return root


@pytest.fixture
def convert(monkeypatch, data, tmp_path):
    """Converts data sets under `data` to a folder of that name."""

    monkeypatch.setenv("PYTHONWARNINGS", "ignore")

    def convert(out, *names, **given):
        given = {"dataset": list(names), "data_root": [str(data)] * len(names)} | given
        run_here(command.main, out=str(tmp_path / out), **given)
        return Records(tmp_path / out).info

    return convert


def test_the_same_seed_gives_the_same_split(convert, capsys):
    first = convert("first", "viper")
    printed = capsys.readouterr().out
    assert "viper: split 0 of 10, 3 test persons, drawn with seed 0" in printed
    again = convert("again", "viper", split_seed=0, split_index=0)
    assert again.sources == first.sources
    assert again.fingerprint == first.fingerprint
    split = first.sources["viper"].split
    assert len(split.test_persons) == first.splits["query"].persons == 3
    assert not set(split.test_persons) & set(first.person_labels["viper"])


def test_another_index_or_seed_gives_another_split(convert, capsys):
    tested = [
        convert(f"{seed}.{index}", "viper", split_seed=seed, split_index=index)
        .sources["viper"]
        .split.test_persons
        for seed, index in ((0, 0), (0, 1), (1, 0))
    ]
    assert "viper: split 1 of 10, 3 test persons, drawn with seed 0" in capsys.readouterr().out
    assert len(set(tested)) == 3


def test_all_persons_can_be_tested(convert):
    whole = convert("whole", "viper", test_all=True)
    # Person 874 was seen by one camera.
    assert whole.sources["viper"].split.test_persons == (1, 2, 3, 4, 5, 6)
    assert whole.splits["query"].persons == 6
    assert [*whole.person_labels["viper"]] == [874]
    # A split that is published stays.
    published = convert("cuhk", "cuhk03:classic", test_all=True)
    own = convert("own", "cuhk03:classic")
    assert published.sources["cuhk03"].split == own.sources["cuhk03"].split


def test_a_folder_is_read_once_and_may_give_its_own_test(convert, data, capsys, caplog):
    for place in ("a/c1", "a/c2", "b/c1"):
        write_image(data / "folder" / place / "1.jpg")
        write_image(data / "beside" / place / "1.jpg")
    whole = convert("drawn", "folder", data_root=[str(data / "folder")], test_all=True)
    assert whole.sources["folder"].split.test_persons == (1, 2)
    assert "folder: 2 test persons, drawn with seed 0" in capsys.readouterr().out
    assert sum("is taken for a person" in line for line in caplog.messages) == 1
    for split in ("query", "gallery"):
        write_image(data / "own" / split / "a" / "1.jpg")
    own = convert("own tests", "folder", data_root=[str(data / "own")], test_all=True)
    assert own.sources["folder"].split is None


def test_a_test_without_queries_is_warned_of(convert, data, capsys):
    for person in "ab":
        write_image(data / "single" / person / "1.jpg")
    convert("single", "folder", data_root=[str(data / "single")])
    assert f"WARNING: {NO_QUERY}" in capsys.readouterr().out


def test_a_joint_set_takes_published_splits_by_index_alone(convert, capsys):
    convert("joint", "viper", "cuhk03:classic", split_seed=3, split_index=1)
    printed = capsys.readouterr().out
    assert "viper: split 1 of 10, 3 test persons, drawn with seed 3" in printed
    assert "cuhk03: split 1 of " in printed
    assert ", published" in printed
    with pytest.raises(UsageError, match="splits are published, not drawn"):
        convert("alone", "cuhk03:classic", split_seed=3)


def test_says_which_images_are_left_out(convert, capsys):
    info = convert("out", "prid")
    assert "prid: 2 images left out, of persons whom camera a alone saw" in capsys.readouterr().out
    assert info.sources["prid"].excluded == {"of persons whom camera a alone saw": 2}
    assert info.sources["prid"].protocol == "random_half"


def test_a_split_is_taken_from_another_folder(convert, tmp_path):
    joint = convert("joint", "viper", "cuhk01", split_seed=3, split_index=4)
    given = {"split_from": str(tmp_path / "joint")}
    again = convert("again", "viper", "cuhk01", **given)
    assert again.sources == joint.sources
    assert again.fingerprint == joint.fingerprint
    alone = convert("alone", "cuhk01", **given)
    assert alone.sources["cuhk01"] == joint.sources["cuhk01"]
    partly = convert("partly", "viper:all", "cuhk01", **given)
    assert partly.sources["viper"].split is None
    assert partly.sources["cuhk01"] == joint.sources["cuhk01"]


@pytest.fixture
def people(tmp_path):
    """Writes images of persons by two cameras; returns their folder."""

    def write(*persons):
        for person in persons:
            for camera in ("c1", "c2"):
                write_image(tmp_path / "people" / person / camera / "1.jpg")
        return tmp_path / "people"

    return write


def asked_for(folder):
    """Names of the persons of `people` that a converted folder tests."""
    keys = Records(folder).store("query").columns(["image/key"])["image/key"]
    names = (key.decode().split("/") for key in keys)
    return {person for dataset, person, *_ in names if dataset == "folder"}


@pytest.mark.parametrize("joined", [(), ("viper",)])
@pytest.mark.parametrize(
    ("persons", "later"),
    [("bert cid dora emil", "aaron"), ("1 2 10 20", "aaron"), ("2 4 5 7", "0")],
)
def test_test_persons_are_taken_by_name(convert, people, data, tmp_path, joined, persons, later):
    """Whoever comes later gets a number before theirs, and trains."""
    root = str(people(*persons.split()))
    convert("first", *joined, "folder", data_root=[str(data)] * len(joined) + [root])
    given = {"data_root": [str(people(later))], "split_from": str(tmp_path / "first")}
    convert("again", "folder", **given)
    assert asked_for(tmp_path / "again") == asked_for(tmp_path / "first")
    gone = min(asked_for(tmp_path / "first"))
    shutil.rmtree(tmp_path / "people" / gone)
    with pytest.raises(UsageError, match=f"tests person {gone}, who is not among the 4 persons"):
        convert("out", "folder", **given)


def test_records_of_an_earlier_release_have_no_names(convert, people, tmp_path):
    given = {"data_root": [str(people("bert", "cid", "dora", "emil"))]}
    first = convert("first", "folder", **given)
    with edited(tmp_path / "first" / "dataset.json") as values:
        del values["sources"]["folder"]["person_names"]
    again = convert("again", "folder", split_from=str(tmp_path / "first"), **given)
    assert again.sources == first.sources


def test_misuse(convert, tmp_path, data):
    convert("viper", "viper", split_seed=2)
    given = {"split_from": str(tmp_path / "viper")}
    with pytest.raises(UsageError, match=r"viper has no split of cuhk01: it has those of viper"):
        convert("out", "cuhk01", **given)
    with pytest.raises(UsageError, match=r"has no split of cuhk01"):
        convert("out", "viper", "cuhk01", **given)
    with pytest.raises(UsageError, match="give one or the other"):
        convert("out", "viper", split_index=2, **given)
    with pytest.raises(UsageError, match="no split 10: expected 0 to 9"):
        convert("out", "viper", split_index=10)
    with pytest.raises(UsageError, match="viper:all trains on every image"):
        convert("out", "viper:all", split_seed=1)
    with pytest.raises(MissingPathError, match="no converted data set at"):
        convert("out", "viper", split_from=str(tmp_path / "nowhere"))
    with pytest.raises(MissingPathError, match=r"holds no dataset\.json"):
        convert("out", "viper", split_from=str(data))
    assert not (tmp_path / "out").exists()


def test_a_split_of_other_data_is_refused(convert, tmp_path):
    convert("viper", "viper")
    path = tmp_path / "viper" / "dataset.json"
    with edited(path) as values:
        values["sources"]["viper"]["split"]["test_persons"] = [1, 500]
    with pytest.raises(UsageError, match="tests person 500, who is not among the 6"):
        convert("out", "viper", split_from=str(tmp_path / "viper"))
    with edited(path) as values:
        del values["sources"]["viper"]["split"]["index"]
    with pytest.raises(DataError, match="is not the description of a converted data set"):
        convert("out", "viper", split_from=str(tmp_path / "viper"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--split_index=10"], "error: there is no split 10: expected 0 to 9\n"),
        (["--split_from=/nowhere"], "error: no converted data set at /nowhere"),
    ],
)
def test_misuse_exits_with_2(data, tmp_path, given, message):
    where = [f"--data_root={data}", f"--out={tmp_path}/out"]
    done = run_command("convert", "--dataset=viper", *where, *given)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
