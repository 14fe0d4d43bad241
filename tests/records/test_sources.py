import pytest

from tfreid.datasets import ParsingRow, Reading, Row
from tfreid.errors import DataError, UsageError
from tfreid.records import ImageSet
from tfreid.records.sources import plan


def row(dataset, split, person, camera, number=0, mask_path=None):
    key = f"{dataset}/{split}/{person}_{camera}_{number}"
    return Row(f"{key}.jpg", person, camera, split, key, mask_path)


def market_like(name="market1501"):
    rows = [row(name, "train", p, c, i) for p in (11, 2, 7) for c in (4, 1) for i in range(3)]
    rows += [row(name, "query", 5, 1), row(name, "gallery", 5, 6), row(name, "gallery", 5, 4)]
    rows += [row(name, "gallery", 0, 1), row(name, "gallery", -1, 1)]
    return ImageSet(name, given=Reading(rows))


def entries_of(made, split):
    return [entry for entries in made.shards[split].values() for entry in entries]


def features_by_key(made):
    return {entry.key: entry.features for split in made.shards for entry in entries_of(made, split)}


def test_labels_follow_the_sorted_ids_of_the_training_split():
    made = plan([market_like()], shards=2, copies=0, seed=0)
    assert made.person_labels == {"market1501": {2: 0, 7: 1, 11: 2}}
    assert made.camera_labels == {"market1501": {1: 0, 4: 1}}
    features = features_by_key(made)
    assert features["market1501/train/7_4_0"]["person/label"] == 1
    assert features["market1501/train/7_4_0"]["camera/label"] == 1
    assert features["market1501/query/5_1_0"]["person/label"] == -1
    assert features["market1501/gallery/5_4_0"]["camera/label"] == 1
    assert features["market1501/gallery/5_6_0"]["camera/label"] == -1
    assert features["market1501/gallery/-1_1_0"]["person/id"] == -1


def test_joint_set_has_unambiguous_labels_and_ids():
    first, second = market_like(), market_like("other")
    made = plan([first, second], shards=2, copies=0, seed=0)
    assert made.name == "market1501_other"
    assert made.person_labels["other"] == {2: 3, 7: 4, 11: 5}
    assert made.camera_labels["other"] == {1: 2, 4: 3}
    features = features_by_key(made)
    assert len(features) == 2 * len(first.rows)
    theirs = features["other/train/7_4_0"]
    assert theirs["person/label"] == 4
    assert theirs["dataset/name"] == "other"
    ids = {
        name: {f["person/id"] for f in features.values() if f["dataset/name"] == name}
        for name in ("market1501", "other")
    }
    assert ids["market1501"] & ids["other"] == {-1, 0}
    cameras = {(f["dataset/name"], f["camera/id"]) for f in features.values()}
    assert len({camera for _, camera in cameras}) == len(cameras)


def test_names_go_with_the_ids_of_the_records():
    names = {"person_names": {-1: "-1", 1: "ann", 2: "bob"}, "camera_names": {1: "door"}}
    rows = [row("own", "train", person, 1) for person in (1, 2)]
    own = ImageSet("own", given=Reading(rows, **names))
    made = plan([market_like(), own], shards=1, copies=0, seed=0)
    found = made.sources["own"]
    features = features_by_key(made)
    for number, name in ((1, "ann"), (2, "bob")):
        theirs = features[f"own/train/{number}_1_0"]
        assert found.person_names[theirs["person/id"]] == name
        assert found.camera_names[theirs["camera/id"]] == "door"
    assert found.person_names[-1] == "-1"
    assert made.sources["market1501"].person_names == {}


def test_unknown_cameras_have_no_label():
    rows = [row("folder", "train", person, 0, person) for person in (1, 2)]
    made = plan([ImageSet("folder", given=Reading(rows))], shards=1, copies=0, seed=0)
    assert made.camera_labels == {"folder": {}}
    assert {f["camera/label"] for f in features_by_key(made).values()} == {-1}


def test_order_and_shards_depend_on_keys_and_seed_alone():
    source = market_like()
    made = plan([source], shards=4, copies=0, seed=0)
    turned = plan(
        [ImageSet("market1501", given=Reading(source.rows[::-1]))], shards=4, copies=0, seed=0
    )
    for split, shards in made.shards.items():
        assert list(shards) == list(turned.shards[split])
        assert entries_of(made, split) == entries_of(turned, split)
    assert list(made.shards) == ["train", "query", "gallery"]
    assert [len(entries) for entries in made.shards["train"].values()] == [4, 5, 4, 5]
    assert list(made.shards["query"]) == ["market1501-query.tfrecord-00000-of-00001"]
    keys = [entry.key for entry in entries_of(made, "train")]
    assert keys != sorted(keys)
    other = plan([source], shards=4, copies=0, seed=1)
    assert [entry.key for entry in entries_of(other, "train")] != keys


def test_copies_are_of_training_images_only():
    made = plan([market_like()], shards=1, copies=2, seed=0)
    assert made.num_records == {"train": 3 * 18, "query": 1, "gallery": 4}
    copies = [entry for entry in entries_of(made, "train") if entry.copy]
    assert {entry.key.partition("+")[2] for entry in copies} == {"background1", "background2"}
    assert len({entry.key for entry in entries_of(made, "train")}) == 54


def test_refuses_what_cannot_be_joined():
    parsing = ImageSet(
        "lip",
        given=Reading([ParsingRow("a.jpg", "a.png", "train", "lip/a")]),
        mask_vocabulary="lip20",
    )
    with pytest.raises(UsageError, match="cannot hold a data set twice: market1501, market1501"):
        plan([market_like(), market_like()], 1, 0, 0)
    with pytest.raises(UsageError, match="market1501 and lip cannot be joined"):
        plan([market_like(), parsing], 1, 0, 0)


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (("lip20", "lip20"), "lip20"),
        (("lip20", ""), "lip20"),
        (("lip20", "atr18"), "regions4"),
        (("regions4", "atr18"), "regions4"),
        (("lip20", "atr18", "binary"), "binary"),
        (("", ""), ""),
    ],
)
def test_masks_of_a_joint_set_have_the_finest_vocabulary_that_all_tell(found, written):
    sources = [
        ImageSet(
            name,
            given=Reading([row(name, "train", 1, 1, mask_path=f"{v}.png" if v else None)]),
            mask_vocabulary=v,
        )
        for name, v in zip("abc", found, strict=False)
    ]
    made = plan(sources, 1, 0, 0)
    assert made.mask_vocabulary == written
    assert {entry.mask_vocabulary for entry in entries_of(made, "train")} == set(found)
    assert [source.mask_vocabulary for source in made.sources.values()] == list(found)


def test_refuses_nothing_and_masks_of_unknown_vocabulary():
    with pytest.raises(DataError, match="empty has no images"):
        plan([ImageSet("empty", given=Reading([]))], 1, 0, 0)
    with pytest.raises(UsageError, match="csv has masks of unknown vocabulary"):
        plan(
            [ImageSet("csv", given=Reading([row("csv", "train", 1, 1, mask_path="m.png")]))],
            1,
            0,
            0,
        )
