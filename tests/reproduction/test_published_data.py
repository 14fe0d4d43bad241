"""A published figure stands beside ours only if it is of the same data and protocol."""

from dataclasses import replace

import pytest

from tests.reproduction.papers import data_folder
from tfreid.datasets import DATASETS, Split
from tfreid.errors import UsageError
from tfreid.records.info import SourceInfo
from tfreid.reproduction import Setting
from tfreid.reproduction.published_data import PublishedData, protocol_of


def converted(tmp_path, name, protocol="market", split=None, **options):
    sources = {name: SourceInfo(options, protocol, split)}
    return data_folder(
        tmp_path / f"{name}{len(list(tmp_path.iterdir()))}", name=name, sources=sources
    )


def mismatch(key, tested, train=None, splits=1):
    return PublishedData.of(key).mismatch(Setting("any", train or tested, tested), splits)


def test_boxes_and_protocol_of_cuhk03(tmp_path):
    new = converted(tmp_path, "cuhk03", boxes="detected", protocol="market")
    new.info.sources["cuhk03"].options["protocol"] = "new"
    assert mismatch("cuhk03:detected,new", new) == ""
    assert mismatch("cuhk03:labeled,classic", new) == "these data are cuhk03:detected,new"
    assert mismatch("cuhk03:classic", new) == "these data are cuhk03:detected,new"
    assert mismatch("market1501", new) == "these data are cuhk03"
    earlier = data_folder(tmp_path / "earlier", name="cuhk03")
    assert "an earlier release did not note" in mismatch("cuhk03:detected,new", earlier)


def test_the_classic_protocol_is_a_mean_of_twenty_splits(tmp_path):
    split = Split(3, 20, None, (1, 2))
    classic = converted(tmp_path, "cuhk03", "cuhk03_classic", split, boxes="labeled")
    classic.info.sources["cuhk03"].options["protocol"] = "classic"
    for key in ("cuhk03:labeled,classic", "cuhk03:classic"):
        assert mismatch(key, classic) == "these are of 1 of its 20 splits"
        assert mismatch(key, classic, splits=20) == ""
    assert mismatch("cuhk03:detected,classic", classic, splits=20)


def test_who_asks_in_partial_reid_and_who_was_learned_from(tmp_path):
    market, duke = (converted(tmp_path, name) for name in ("market1501", "dukemtmc"))
    parts, hidden = (
        converted(tmp_path, "partial_reid", "no_camera", queries=queries)
        for queries in ("partial", "occluded")
    )
    key = "market1501→partial_reid:occluded"
    assert mismatch(key, hidden, market) == ""
    assert mismatch(key, parts, market) == "these data are partial_reid:partial"
    assert mismatch(key, hidden, duke) == "these models learn from dukemtmc"


def test_models_of_other_data_are_not_the_papers(tmp_path):
    market, duke = (converted(tmp_path, name) for name in ("market1501", "dukemtmc"))
    joint = data_folder(
        tmp_path / "joint",
        name="dukemtmc_market1501",
        sources={**market.info.sources, **duke.info.sources},
    )
    assert mismatch("market1501", market, duke) == "these models learn from dukemtmc"
    assert mismatch("market1501", market, joint) == ""
    earlier = data_folder(tmp_path / "earlier", name="market1501")
    assert mismatch("market1501", market, earlier) == ""


def test_another_protocol_and_drawn_images_do_not_match(tmp_path):
    market = converted(tmp_path, "market1501", "no_camera")
    assert mismatch("market1501", market) == "these are of the protocol no_camera"
    assert protocol_of(market.info) == "no_camera"
    drawn = converted(tmp_path, "market1501")
    drawn.info = replace(drawn.info, synthetic=True)
    assert mismatch("market1501", drawn) == "these images are drawn"


def test_keys_are_names_of_data_sets():
    assert PublishedData.of("market1501→partial_reid:occluded").name in DATASETS
    with pytest.raises(UsageError, match="unknown data set"):
        PublishedData.of("market")
