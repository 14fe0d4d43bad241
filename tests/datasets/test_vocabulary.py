import pytest

from tfreid.datasets import VOCABULARIES, lookup
from tfreid.datasets.vocabulary import common_vocabulary
from tfreid.errors import UsageError


def test_lip_regions_follow_the_published_groups():
    groups = {1: {1, 2, 4, 13}, 2: {3, 5, 6, 7, 10, 11, 14, 15}, 3: {8, 9, 12, 16, 17, 18, 19}}
    table = lookup("lip20", "regions4")
    assert table[0] == 0
    for region, classes in groups.items():
        assert {index for index, value in enumerate(table) if value == region} == classes


def test_classes_that_lip_and_atr_share_are_in_the_same_region():
    lip = dict(zip(VOCABULARIES["lip20"], lookup("lip20", "regions4"), strict=True))
    atr = dict(zip(VOCABULARIES["atr18"], lookup("atr18", "regions4"), strict=True))
    assert {name: atr[name] for name in atr if name in lip} == {
        name: lip[name] for name in lip if name in atr
    }
    assert {name: atr[name] for name in atr if name not in lip} == {"belt": 3, "bag": 0}


@pytest.mark.parametrize("source", VOCABULARIES)
def test_every_vocabulary_becomes_binary_and_itself(source):
    names = VOCABULARIES[source]
    background = {
        name for name, value in zip(names, lookup(source, "binary"), strict=True) if not value
    }
    assert background - {"bag"} == {"background"}
    assert set(lookup(source, "binary")) == {0, 1}
    assert lookup(source, source) == tuple(range(len(names)))


@pytest.mark.parametrize("source", ["lip20", "atr18"])
def test_binary_is_the_same_by_way_of_the_regions(source):
    by_way = [lookup("regions4", "binary")[region] for region in lookup(source, "regions4")]
    assert lookup(source, "binary") == tuple(by_way)


def test_common_vocabulary_is_the_finest_that_all_convert_to():
    assert common_vocabulary(["lip20"]) == common_vocabulary(["lip20", "lip20"]) == "lip20"
    assert (
        common_vocabulary(["lip20", "atr18"])
        == common_vocabulary(["atr18", "regions4"])
        == "regions4"
    )
    assert common_vocabulary(["lip20", "binary"]) == common_vocabulary(VOCABULARIES) == "binary"


def test_refuses_finer_and_unknown_vocabularies():
    with pytest.raises(UsageError, match="binary does not tell its classes apart"):
        lookup("binary", "regions4")
    with pytest.raises(UsageError, match="atr18 cannot be converted to lip20"):
        lookup("atr18", "lip20")
    with pytest.raises(UsageError, match="unknown mask vocabulary 'lip'"):
        lookup("lip", "binary")
