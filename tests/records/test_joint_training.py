"""Joint sets as papers train on them: five sources (PGP) and ten (SPReID)."""

from itertools import chain

import numpy as np
import pytest

from tests.datasets.miniatures import MINIATURES
from tfrecords_schema import schema
from tfreid.datasets import DISTRACTOR_PERSON_ID, NO_CAMERA_ID, SplitChoice
from tfreid.records import ImageSet, Records, conversion
from tfreid.records.sources import plan

PGP_SOURCES = ("cuhk03:labeled,classic", "cuhk01:test_half", "viper", "3dpes", "market1501")
SPREID_SOURCES = (
    "market1501",
    "cuhk03:labeled,classic",
    "dukemtmc",
    "3dpes",
    "cuhk01",
    "cuhk02:without_p1",
    "prid:multi_shot",
    "cuhk_sysu",
    "shinpuhkan",
    "viper",
)


def read(names, root, choice=None):
    """Reads the miniatures; those that are split in several ways as chosen."""
    sources = []
    for name in names:
        miniature = MINIATURES.get(name) or MINIATURES[name.split(":")[0]]
        sources.append(ImageSet(name, miniature(root), split=choice))
    return sources


def converted(sources, out):
    conversion.convert(plan(sources, 2, 0, 0), out, conversion.ConversionOptions())
    folder = Records(out)
    records = {}
    for split in folder.info.splits:
        store = folder.store(split)
        records[split] = [schema.decode("reid", r) for r in store.read(np.arange(len(store)))]
    return folder.info, records


@pytest.fixture(scope="module", params=[PGP_SOURCES, SPREID_SOURCES], ids=["PGP", "SPReID"])
def joint(request, tmp_path_factory):
    """The sources as they were read, and the joint set of them."""
    root = tmp_path_factory.mktemp("joint")
    sources = read(request.param, root)
    return sources, *converted(sources, root / "out")


def test_labels_follow_each_other(joint):
    sources, info, _ = joint
    names = [source.dataset for source in sources]
    for tables, count in (
        (info.person_labels, info.num_persons),
        (info.camera_labels, info.num_cameras),
    ):
        labels = [sorted(tables[name].values()) for name in names]
        assert list(chain(*labels)) == list(range(count))
    for source in sources:
        trained = {row.person_id for row in source.rows if row.split == "train" and row.is_person}
        assert list(info.person_labels[source.dataset]) == sorted(trained)


def test_training_records_have_the_label_of_their_person(joint):
    sources, info, records = joint
    trained = {row.key: row for source in sources for row in source.rows if row.split == "train"}
    assert len(trained) == len(records["train"])
    for record in records["train"]:
        person = trained[record["image/key"]].person_id
        assert record["person/label"] == info.person_labels[record["dataset/name"]][person]


def test_ids_are_unambiguous(joint):
    sources, _, records = joint
    everything = [record for split in records.values() for record in split]
    for field, special in (("person/id", DISTRACTOR_PERSON_ID), ("camera/id", NO_CAMERA_ID)):
        ids = {
            source.dataset: {
                record[field]
                for record in everything
                if record["dataset/name"] == source.dataset and record[field] > special
            }
            for source in sources
        }
        assert len(set().union(*ids.values())) == sum(map(len, ids.values()))
    market = [row for source in sources if source.dataset == "market1501" for row in source.rows]
    kept = sorted(r["person/id"] for r in everything if r["person/id"] <= DISTRACTOR_PERSON_ID)
    assert kept == sorted(row.person_id for row in market if not row.is_person)


def test_every_source_keeps_its_split(joint):
    sources, info, records = joint
    expected = {row.key: row.split for source in sources for row in source.rows}
    found = {record["image/key"]: split for split in records for record in records[split]}
    assert found == expected
    for source in sources:
        assert info.sources[source.dataset] == source.info
        if source.info.split:
            untrained = set(source.info.split.test_persons)
            assert not untrained & set(info.person_labels[source.dataset])


def test_sources_may_train_whole(tmp_path):
    names = ("viper:all", "prid:all", "cuhk01:all", "cuhk02:all,without_p1", "3dpes:all")
    made = plan(read(names, tmp_path), 1, 0, 0)
    assert list(made.shards) == ["train"]
    assert {len(table) for table in made.person_labels.values()} == {7, 8, 6, 103}
    assert all(source.split is None for source in made.sources.values())
    assert made.sources["prid"].options == {"shots": "single_shot", "use": "all"}


def test_one_choice_splits_all_sources_alike_whenever_it_is_made(tmp_path):
    names = ("viper", "cuhk01", "prid")
    one, again, other = (
        [source.info.split for source in read(names, tmp_path / folder, SplitChoice(7, index))]
        for folder, index in (("one", 2), ("again", 2), ("other", 3))
    )
    assert one == again
    assert one != other
    assert all((split.seed, split.index, split.of) == (7, 2, 10) for split in one)
