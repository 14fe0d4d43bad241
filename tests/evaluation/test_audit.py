import json

import numpy as np
import pytest
from toy_models import SIZE_PX, PersonModel, PositionModel

from tests.measured import RecordingProgress
from tfreid.errors import UsageError
from tfreid.evaluation import (
    DescribedNetwork,
    Describer,
    Measurement,
    Network,
    audit,
    available_variants,
    evaluation_metrics,
    evaluation_sets,
    images_to_see,
)
from tfreid.inputs import VARIANTS
from tfreid.retrieval import ReconstructionMatching

MEASUREMENT = Measurement(batch_size=8)
ORIGINAL = Measurement(("original",), batch_size=8)


@pytest.fixture(scope="module")
def tested(reid_folder):
    (tested,) = evaluation_sets(reid_folder)
    return tested


def test_background_tells_the_models_apart(audits):
    scenery, person = (result.metrics() for result in audits)
    for variant in ("original", "mean_background", "random_background"):
        assert person[variant]["rank1"] > 0.7
        assert person[variant]["rank1"] > scenery[variant]["rank1"] + 0.3
    assert person["background_only"]["rank1"] < 0.5


def test_metrics_are_complete_and_fit_json(audits):
    metrics = json.loads(json.dumps(audits[1].metrics()))
    parts = {"camera_pairs", "chance_rank1", "intervals", "attention", "matching", "counts"}
    parts |= {"open_set", "protocol", "data"}
    assert set(metrics) == {*VARIANTS, *parts}
    assert set(metrics["original"]) == {"rank1", "rank5", "rank10", "rank20", "mAP", "mINP"}
    # Each query has two images by its own camera in the gallery.
    assert metrics["counts"] == {
        "queries": 12,
        "queries_used": 12,
        "queries_without_match": 0,
        "queries_junk": 0,
        "gallery": 26,
        "gallery_used": 25,
        "gallery_distractors": 1,
        "gallery_junk": 1,
        "persons_without_query": 0,
        "same_camera": 24,
        "queries_blank": 0,
        "gallery_blank": 0,
    }
    assert metrics["protocol"] == {
        "name": "market",
        "camera_filter": True,
        "gallery_draws": 0,
        "image_size_px": list(SIZE_PX),
        "batch_size": 16,
        "flip_averaging": False,
        "average_precision": "mean",
        "seed": 0,
        "reranking": None,
    }
    # Of 25 gallery images that are not junk, 2 are of the query's camera and 2 are matches.
    assert metrics["chance_rank1"] == pytest.approx(2 / 23)
    assert metrics["data"]["synthetic"] is True
    assert set(metrics["attention"]) == {"original", "random_background"}
    maps = metrics["attention"]["random_background"]["maps"]
    assert set(maps) == {"activation", "half"}
    activation = maps["activation"]
    assert set(activation) == {"inside", "outside", "contrast", "auc", "images"}
    assert activation["contrast"] == activation["inside"] - activation["outside"] > 0.3


def test_camera_pairs_are_those_of_the_original_images(tested, audits, person):
    # Every query has its matches in the other one of the two cameras.
    metrics = audits[1].metrics()
    pairs = metrics["camera_pairs"]
    assert {name: pair["queries"] for name, pair in pairs.items()} == {"1-2": 6, "2-1": 6}
    assert set(pairs["1-2"]) == {*metrics["original"], "queries"}
    # The matches are the same and there are fewer other images, so no query fares worse.
    whole = metrics["original"]["mAP"]
    assert sum(pair["mAP"] for pair in pairs.values()) / 2 >= whole
    other = audit(person, tested, Measurement(("mean_background",), batch_size=8))
    assert other.metrics()["camera_pairs"] == {}


def test_lists_are_of_the_outcome(audits):
    for result in audits:
        for outcome in result.outcomes.values():
            lists, first = outcome.lists, outcome.retrieval.first_match
            assert lists.indices.shape == (12, 10)
            found = np.where(lists.correct.any(axis=1), lists.correct.argmax(axis=1) + 1, 11)
            np.testing.assert_array_equal(found, np.minimum(first, 11))


def test_batch_size_does_not_matter(tested, audits, person):
    result = audit(person, tested, Measurement(VARIANTS[:3], batch_size=8))
    for variant in VARIANTS[:3]:
        np.testing.assert_array_equal(
            result.outcomes[variant].retrieval.average_precision,
            audits[1].outcomes[variant].retrieval.average_precision,
        )


class OnlyExplains(PersonModel):
    """Its descriptors come from elsewhere."""

    def embed(self, images):
        raise AssertionError("the descriptors were to come from elsewhere")


def described(networks, folder, variants=VARIANTS, model=OnlyExplains):
    """A network whose descriptors of a folder's images are those of others."""
    describer = Describer(networks, 8)
    descriptors = {
        (variant, split): describer.describe(folder, split, variant, MEASUREMENT.seed)
        for variant in variants
        for split in ("query", "gallery")
    }
    return DescribedNetwork("person", model(), SIZE_PX, descriptors=descriptors)


def test_descriptors_may_come_from_elsewhere(reid_folder, tested, audits, person):
    progress = RecordingProgress()
    result = audit([described(person, reid_folder)], tested, MEASUREMENT, progress)
    assert progress.done == 2 * 12  # the queries of the two variants that are explained
    protocol = audits[1].metrics()["protocol"] | {"batch_size": 8}
    assert tuple(result.outcomes) == VARIANTS
    assert result.metrics() == audits[1].metrics() | {"protocol": protocol}


def test_descriptors_from_elsewhere_have_no_positions_to_compare(reid_folder, tested):
    pooled = [Network("pooled", PositionModel(), SIZE_PX)]
    network = described(pooled, reid_folder, ("original",), PositionModel)
    measurement = Measurement(("original",), matching=ReconstructionMatching("exact", beta=0.01))
    with pytest.raises(UsageError, match="takes one network, which computes"):
        audit([network], tested, measurement)


def test_descriptors_from_elsewhere_are_not_combined(reid_folder, tested, person):
    network = described(person, reid_folder, ("original",))
    with pytest.raises(UsageError, match="a DescribedNetwork is measured alone"):
        audit([network, *person], tested, ORIGINAL)


def test_protocol_without_cameras_keeps_what_the_own_camera_took(reid_folder, person):
    (without,) = evaluation_sets(reid_folder, "no_camera")
    result = audit(person, without, ORIGINAL)
    assert result.chance_rank1 == pytest.approx(4 / 25)
    metrics = result.metrics()
    assert metrics["counts"]["same_camera"] == 0
    assert metrics["protocol"]["name"] == "no_camera"


def test_progress_counts_every_image(tested, person):
    progress = RecordingProgress()
    measurement = Measurement(("original", "mean_background"), batch_size=8)
    audit(person, tested, measurement, progress)
    assert progress.done == images_to_see(person, tested, measurement) == 2 * (12 + 26) + 12
    assert images_to_see(person, tested, MEASUREMENT) == 4 * (12 + 26) + 2 * 12


def test_without_masks_only_the_original_is_measured(folder_without_masks, person):
    assert available_variants(folder_without_masks) == ("original",)
    (plain,) = evaluation_sets(folder_without_masks)
    result = audit(person, plain, MEASUREMENT)
    assert list(result.outcomes) == ["original"]
    assert result.metrics()["attention"] == {}


def test_variant_that_needs_masks_is_refused_without_them(folder_without_masks, person):
    (plain,) = evaluation_sets(folder_without_masks)
    with pytest.raises(UsageError, match=r"needs masks.*masks_root.*ask for original"):
        audit(person, plain, Measurement(("mean_background",)))


def test_unknown_variant_is_refused(tested, person):
    with pytest.raises(UsageError, match="'night' is not known"):
        audit(person, tested, Measurement(("night",)))


def test_data_without_query_split_is_refused(parsing_folder):
    with pytest.raises(UsageError, match="no split 'query'"):
        available_variants(parsing_folder)


def test_each_data_set_of_a_joint_set_is_measured_as_if_alone(
    joint_folder, shots_source, reid_folder, converted, person
):
    alone = (reid_folder, converted(shots_source))
    together = evaluation_sets(joint_folder)
    results = []
    for tested, folder in zip(together, alone, strict=True):
        (own,) = evaluation_sets(folder)
        joint, single = (audit(person, one, ORIGINAL) for one in (tested, own))
        results.append(joint)
        expected, found = single.metrics(), joint.metrics()
        assert found["original"] == pytest.approx(expected["original"])
        assert found["counts"] == expected["counts"]
        assert found["protocol"] == expected["protocol"]
        assert [*found["camera_pairs"].values()] == [*expected["camera_pairs"].values()]
        keys = dict(zip(joint.query_keys, joint.outcomes["original"].lists.indices, strict=True))
        for key, nearest in zip(
            single.query_keys, single.outcomes["original"].lists.indices, strict=True
        ):
            np.testing.assert_array_equal(
                joint.gallery_keys[keys[key]][nearest >= 0],
                single.gallery_keys[nearest][nearest >= 0],
            )
    metrics = evaluation_metrics(results)
    assert list(metrics) == ["datasets"]
    assert list(metrics["datasets"]) == ["market1501", "shots"]
    assert evaluation_metrics(results[1:]) == results[1].metrics()


def test_descriptors_of_a_joint_set_may_come_from_elsewhere(joint_folder, person):
    network = described(person, joint_folder, ("original",))
    for tested in evaluation_sets(joint_folder):
        here, elsewhere = (audit(networks, tested, MEASUREMENT) for networks in (person, [network]))
        assert elsewhere.query_keys.tolist() == here.query_keys.tolist()
        assert elsewhere.metrics()["original"] == pytest.approx(here.metrics()["original"])


def test_one_gallery_image_a_person_gives_cmc_alone(joint_folder, person):
    tested = evaluation_sets(joint_folder)[1]
    metrics = audit(person, tested, MEASUREMENT).metrics()
    assert set(metrics["original"]) == {"rank1", "rank5", "rank10", "rank20"}
    assert metrics["protocol"]["gallery_draws"] == 100
    # Of each draw's images one is of the query's person, three of others, one a distractor.
    assert metrics["chance_rank1"] == pytest.approx(1 / 5)
    # Two queries a person, each with two gallery images by its own camera.
    assert metrics["counts"]["same_camera"] == 8 * 2
    assert metrics["data"] | {"path": "", "fingerprint": ""} == {
        "name": "market1501_shots",
        "path": "",
        "fingerprint": "",
        "synthetic": True,
        "dataset": "shots",
        "options": {"images": "all"},
        "split": {"index": 2, "of": 10, "seed": 7, "test_persons": 4},
        "excluded": {"persons seen by one camera": 5},
    }
