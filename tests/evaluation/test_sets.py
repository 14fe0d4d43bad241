from dataclasses import replace

import numpy as np
import pytest

from tfreid.datasets import Reading, rows_of
from tfreid.errors import DataError, UsageError
from tfreid.evaluation import evaluation_sets
from tfreid.records import ImageSet, Records
from tfreid.records.info import SourceInfo


@pytest.fixture
def folder(reid_folder):
    """The tiny folder, opened anew: the test may change what it says."""
    return Records(reid_folder.path)


def changed(folder, **values):
    folder.info = replace(folder.info, **values)
    return folder


def chosen(folder, asked=None):
    (tested,) = evaluation_sets(folder, asked)
    return tested.protocol.name, tested.reason


def test_protocol_is_the_data_sets_own(folder):
    own = changed(folder, sources={"market1501": SourceInfo(protocol="random_half")})
    assert chosen(own) == ("random_half", "the data set's own")
    assert chosen(own, "random_half") == ("random_half", "asked for")
    assert chosen(own, "market") == ("market", "asked for; the data set's own is random_half")


def test_folder_of_an_earlier_release_is_measured_as_market1501(folder):
    assert chosen(changed(folder, sources={})) == ("market", "the folder names no protocol")


@pytest.mark.parametrize("sources", [{}, {"market1501": SourceInfo()}])
def test_without_cameras_none_is_filtered(folder, sources):
    splits = {name: replace(split, cameras=0) for name, split in folder.info.splits.items()}
    without = changed(folder, splits=splits, sources=sources)
    assert chosen(without) == ("no_camera", "no cameras are known")
    assert chosen(without, "cuhk03_classic")[0] == "cuhk03_classic"


def test_one_data_set_has_all_records(reid_folder):
    (tested,) = evaluation_sets(reid_folder)
    assert tested.dataset == "market1501"
    np.testing.assert_array_equal(tested.records["query"], np.arange(12))
    np.testing.assert_array_equal(tested.records["gallery"], np.arange(26))


def test_joint_set_is_parted_by_data_set(joint_folder):
    market, shots = evaluation_sets(joint_folder)
    assert (market.dataset, market.protocol.name) == ("market1501", "market")
    assert (shots.dataset, shots.protocol.name) == ("shots", "random_half")
    for split, counts in (("query", (12, 8)), ("gallery", (26, 17))):
        keys = joint_folder.store(split).columns(("image/key",))["image/key"]
        for tested, count in zip((market, shots), counts, strict=True):
            assert len(tested.records[split]) == count
            own = keys[tested.records[split]]
            assert all(key.decode().startswith(f"{tested.dataset}/") for key in own)


def test_data_set_without_queries_is_for_training_only(raw_data, shots_source, converted):
    rows = rows_of("market1501", raw_data / "market1501")
    training = ImageSet("market1501", given=Reading([row for row in rows if row.split == "train"]))
    (tested,) = evaluation_sets(converted(training, shots_source))
    assert tested.dataset == "shots"


def test_queries_without_a_gallery_are_refused(raw_data, shots_source, converted):
    rows = rows_of("market1501", raw_data / "market1501")
    queries = ImageSet("market1501", given=Reading([row for row in rows if row.split != "gallery"]))
    with pytest.raises(DataError, match="queries of market1501 and no gallery images"):
        evaluation_sets(converted(queries, shots_source))


def test_data_without_query_split_are_refused(parsing_folder):
    with pytest.raises(UsageError, match="no split 'query'"):
        evaluation_sets(parsing_folder)
