import json
from dataclasses import replace

import pytest

from tfreid.evaluation import Measurement, audit, evaluation_sets
from tfreid.evaluation.differences import Difference, differences
from tfreid.evaluation.uncertainty import QueryBootstrap
from tfreid.evaluation.verdict import Verdict
from tfreid.retrieval import Interval, PersonBootstrap


def verdict(low, high, value=0.091, persons=40, is_degenerate=False):
    loss = Interval(value, low, high, is_degenerate)
    return Verdict("random_background", 0.745, 0.745 - value, loss, persons)


def test_losses_are_paired_by_query(audits):
    scenery = audits[0]
    original, changed = (
        scenery.outcomes[variant].retrieval for variant in ("original", "random_background")
    )
    fell = (original.first_match == 1).astype(float) - (changed.first_match == 1)
    expected = PersonBootstrap(scenery.query.person, 0).mean(fell)
    assert scenery.losses["random_background"]["rank1"] == expected
    fell = original.average_precision - changed.average_precision
    expected = PersonBootstrap(scenery.query.person, 0).mean(fell)
    assert scenery.losses["random_background"]["mAP"] == expected
    assert expected.low < expected.value < expected.high


def test_losses_are_those_of_the_table(audits):
    for result in audits:
        metrics = result.metrics()
        for variant, losses in metrics["intervals"]["losses"].items():
            for name, interval in losses.items():
                fell = metrics["original"][name] - metrics[variant][name]
                assert interval["value"] == pytest.approx(fell)
        assert set(metrics["intervals"]["losses"]) == {"mean_background", "random_background"}
        assert metrics["intervals"]["persons"] == 6
        for variant, figures in metrics["intervals"]["figures"].items():
            assert figures["rank1"]["value"] == pytest.approx(metrics[variant]["rank1"])


def test_the_seed_of_the_measurement_draws(reid_folder, audits, person):
    (tested,) = evaluation_sets(reid_folder)
    variants = ("original", "mean_background")
    other = audit(person, tested, Measurement(variants, batch_size=16, seed=5))
    first, second = (r.intervals["original"]["mAP"] for r in (audits[1], other))
    assert first.value == second.value
    assert first.low != second.low


def test_queries_without_a_match_do_not_count(audits):
    result = audits[0]
    outcome = result.outcomes["original"].retrieval
    matches = outcome.matches.copy()
    matches[result.query.person == result.query.person[0]] = 0
    bootstrap = QueryBootstrap(result.query.person, 0)
    assert bootstrap.persons(outcome, replace(outcome, matches=matches)) == 5
    scored = matches > 0
    found = bootstrap.sum((1, replace(outcome, matches=matches)))["mAP"]
    assert found.value == pytest.approx(outcome.average_precision[scored].mean())


def test_models_are_compared_by_query(audits):
    (difference,) = differences(audits)
    losses = [result.losses["random_background"]["rank1"].value for result in audits]
    assert difference.losses["rank1"].value == pytest.approx(losses[0] - losses[1])
    assert difference.models == ("scenery <1>", "person")
    (other,) = differences(audits[::-1])
    assert other.losses["mAP"].value == pytest.approx(-difference.losses["mAP"].value)
    assert other.losses["mAP"].low == pytest.approx(-difference.losses["mAP"].high)
    json.dumps(difference.to_json())


def difference(low, high, value):
    losses = {"rank1": Interval(value, low, high, False)}
    return Difference(("a", "b"), "random_background", losses, 40).sentence


def test_sentence_names_who_loses_more():
    text = "On random background images {} loses 5.0 points of rank-1 more than {} "
    text += "(95% interval 2.0 to 9.0, 40 persons)."
    assert difference(0.02, 0.09, 0.05) == text.format("a", "b")
    assert difference(-0.09, -0.02, -0.05) == text.format("b", "a")
    assert "It cannot be told which" in difference(-0.01, 0.09, 0.05)
    assert "a and b lose as much of rank-1 (95% interval" in difference(-0.01, 0.01, 0.0)


def test_verdict_is_on_random_backgrounds_where_there_are_some(audits):
    found = audits[0].verdict
    assert (found.variant, found.persons) == ("random_background", 6)
    assert found.original - found.changed == pytest.approx(found.loss.value)
    assert json.loads(json.dumps(found.to_json()))["sentence"] == found.sentence
    outcomes = {v: o for v, o in audits[0].outcomes.items() if v != "random_background"}
    assert replace(audits[0], outcomes=outcomes).verdict.variant == "mean_background"
    del outcomes["original"]
    assert replace(audits[0], outcomes=outcomes).verdict is None


def test_sentence_says_what_can_be_said():
    text = verdict(0.02, 0.164).sentence
    assert text == (
        "On random background images rank-1 falls from 74.5 to 65.4, by 9.1 points (95% interval "
        "2.0 to 16.4, 40 persons). The model uses the background."
    )
    assert "a loss of up to 16.4 points cannot be ruled out" in verdict(-0.02, 0.164).sentence
    assert "no change. " in verdict(-0.09, 0.0, value=-0.05, persons=8).sentence
    better = verdict(-0.09, -0.01, value=-0.05).sentence
    assert "rises from 74.5 to 79.5, by 5.0 points (95% interval 1.0 to 9.0, 40" in better
    assert "finds persons better without" in better


def test_sentence_says_what_cannot_be_said():
    assert "8 persons are few: measure 10 or more" in verdict(0.02, 0.2, persons=8).sentence
    alone = verdict(None, None, persons=1, is_degenerate=True).sentence
    assert "nothing can be said of others" in alone
    alike = verdict(0.0, 0.0, 0.0, 8, is_degenerate=True).sentence
    assert "for each of 8 persons alike: no interval can be given, and 31% of persons" in alike


@pytest.mark.parametrize(
    ("ends", "limit", "exceeds", "words"),
    [
        ((0.02, 0.164), 0.05, True, "above the limit of 5.0, but the interval does not exclude"),
        ((0.06, 0.164), 0.05, True, "above the limit of 5.0, and the interval excludes"),
        ((0.02, 0.164), 0.1, False, "within the limit of 10.0, but the interval does not"),
        ((0.02, 0.164), 0.2, False, "within the limit of 20.0, and the interval excludes"),
        ((None, None), 0.05, True, "there is no interval that could exclude it"),
    ],
)
def test_limit(ends, limit, exceeds, words):
    found = verdict(*ends)
    assert found.exceeds(limit) is exceeds
    assert words in found.against(limit)


def test_rounding_makes_no_loss():
    text = verdict(-1e-17, 0.05, value=-1e-17).sentence
    assert "rank-1 stays at 74.5 (95% interval 0.0 to 5.0" in text
    assert "cannot be told from no change" in verdict(1e-17, 0.05, value=0.01).sentence
