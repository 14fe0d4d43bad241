import pytest

from tfreid.datasets import VOCABULARIES, lookup
from tfreid.errors import UsageError


def test_lip_regions_follow_the_published_groups():
    groups = {1: {1, 2, 4, 13}, 2: {3, 5, 6, 7, 10, 11, 14, 15}, 3: {8, 9, 12, 16, 17, 18, 19}}
    table = lookup("lip20", "regions4")
    assert table[0] == 0
    for region, classes in groups.items():
        assert {index for index, value in enumerate(table) if value == region} == classes


@pytest.mark.parametrize("source", VOCABULARIES)
def test_every_vocabulary_becomes_binary_and_itself(source):
    assert lookup(source, "binary") == (0,) + (1,) * (len(VOCABULARIES[source]) - 1)
    assert lookup(source, source) == tuple(range(len(VOCABULARIES[source])))


def test_refuses_finer_and_unknown_vocabularies():
    with pytest.raises(UsageError, match="binary does not tell its classes apart"):
        lookup("binary", "regions4")
    with pytest.raises(UsageError, match="unknown mask vocabulary 'lip'"):
        lookup("lip", "binary")
