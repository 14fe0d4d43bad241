import dataclasses

import pytest

from pipeline.config import PipelineConfig, Thresholds
from pipeline.evaluator import decision as deciding
from pipeline.evaluator.decision import decide, unmeasurable
from tfreid.methods import METHODS
from tfreid.records import ImageSet

LIMITS = Thresholds(min_rank1=0.7, min_mAP=0.5, max_regression=0.02, max_background_loss=0.1)


def measured(rank1=0.8, mean_ap=0.6, background=0.75):
    return {
        "original": {"rank1": rank1, "mAP": mean_ap},
        "random_background": {"rank1": background, "mAP": 0.5},
    }


def test_a_good_model_is_blessed_with_its_figures():
    decision = decide(measured(), None, LIMITS)
    assert decision.blessed
    assert decision.failed == ()
    assert "rank1 80.0%, expected at least 70.0%" in decision.summary
    assert "rank1 changes by -5.0 points on random backgrounds" in decision.summary
    assert "a loss of 10.0 points is allowed" in decision.summary


def test_each_threshold_can_fail_alone():
    for bad, reason in (
        (measured(rank1=0.69, background=0.69), "rank1 69.0%, expected at least 70.0%"),
        (measured(mean_ap=0.49), "mAP 49.0%, expected at least 50.0%"),
        (measured(background=0.69), "rank1 changes by -11.0 points on random backgrounds"),
    ):
        decision = decide(bad, None, LIMITS)
        assert not decision.blessed
        assert len(decision.failed) == 1
        assert reason in decision.summary


def test_not_worse_than_the_served_model_by_more_than_the_tolerance():
    before = measured(rank1=0.83, mean_ap=0.61)
    decision = decide(measured(rank1=0.80), before, LIMITS)
    assert not decision.blessed
    assert decision.summary == (
        "rank1 80.0%, the served model has 83.0% and 2.0 points less are allowed"
    )
    assert decide(measured(rank1=0.82), before, LIMITS).blessed


def test_a_background_loss_that_was_not_measured_is_no_pass():
    without_masks = {"original": measured()["original"]}
    decision = decide(without_masks, None, LIMITS)
    assert not decision.blessed
    assert "could not be measured: no test person has masks" in decision.summary
    assert "--parser=mediapipe_pose" in decision.summary
    assert "--max_background_loss=1 blesses without" in decision.summary
    without_scenes = {name: measured()["original"] for name in ("original", "mean_background")}
    assert (
        "no background scenes. --backgrounds_root" in decide(without_scenes, None, LIMITS).summary
    )
    assert decide(without_masks, None, Thresholds(max_background_loss=None)).blessed


def test_the_background_loss_is_that_of_images_with_masks():
    partly = measured(background=0.75) | {"original_with_masks": {"rank1": 0.9, "mAP": 0.6}}
    decision = decide(partly, None, LIMITS)
    assert not decision.blessed
    assert "rank1 changes by -15.0 points" in decision.summary


def test_a_figure_that_is_no_number_is_no_pass():
    assert not decide(measured(rank1=float("nan")), None, LIMITS).blessed


def test_protocol_without_map_is_judged_by_rank1():
    cmc_only = {name: {"rank1": part["rank1"]} for name, part in measured().items()}
    decision = decide(cmc_only, None, LIMITS)
    assert not decision.blessed
    assert "mAP does not exist in the data set's protocol" in decision.summary
    unlimited = Thresholds(min_mAP=0)
    assert decide(cmc_only, cmc_only, unlimited).blessed
    assert not decide(cmc_only, measured(rank1=0.9), unlimited).blessed


@pytest.mark.parametrize("has_opencv", [True, False])
def test_what_cannot_be_measured_is_known_before_training(raw_data, monkeypatch, has_opencv):
    monkeypatch.setattr(deciding, "can_inpaint", lambda: has_opencv)
    plain = ImageSet("market1501", raw_data / "market1501")
    masked = ImageSet("market1501", plain.root, raw_data / "masks", "lip20")
    without = PipelineConfig("/out", "dgd", METHODS["dgd"].demo(), plain)
    assert "--parser=mediapipe_pose" in unmeasurable(without)
    off = dataclasses.replace(without, thresholds=Thresholds(max_background_loss=None))
    assert unmeasurable(off) == ""
    for given in (
        dataclasses.replace(without, data=masked),
        dataclasses.replace(without, parser="mediapipe_pose"),
    ):
        missing = unmeasurable(given)
        assert missing == "" if has_opencv else "--backgrounds_root" in missing
        scenes = dataclasses.replace(given, backgrounds_root=str(raw_data / "backgrounds"))
        assert unmeasurable(scenes) == ""
