"""What a change does, against the figures of both models and a plain bootstrap."""

import json

import pytest

from tfreid.evaluation import Change, gains
from tfreid.retrieval import PersonBootstrap


@pytest.fixture
def found(audits):
    before, after = (result.name for result in audits)
    return gains([Change("colour", before, after), Change("back", after, before)], audits)


def test_gains_are_after_less_before_on_the_same_queries(found, audits):
    before, after = (result.metrics() for result in audits)
    forth, back = found
    assert set(forth.figures) == set(audits[0].outcomes)
    for variant, figures in forth.figures.items():
        for name, interval in figures.items():
            assert interval.value == pytest.approx(after[variant][name] - before[variant][name])
            assert back.figures[variant][name].value == pytest.approx(-interval.value)
    one, other = (r.outcomes["random_background"].retrieval for r in audits)
    rose = other.average_precision - one.average_precision
    expected = PersonBootstrap(audits[0].query.person, 0).mean(rose)
    assert forth.figures["random_background"]["mAP"] == expected


def test_gains_survive_json(found):
    written = json.loads(json.dumps(found[0].to_json()))
    assert (written["before"], written["after"]) == ("scenery <1>", "person")
    rank1 = written["variants"]["original"]["rank1"]
    assert rank1["low"] <= rank1["value"] <= rank1["high"]
