import json

import numpy as np
import pytest
from toy_models import SIZE_PX, PersonModel

from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS, InputSpec
from tfreid.report import Protocol, audit, available_variants, images_to_see
from tfreid.report.descriptors import describe_split, embedder

PROTOCOL = Protocol(image_size_px=SIZE_PX, batch_size=8)


def test_background_tells_the_models_apart(audits):
    scenery, person = (result.metrics() for result in audits)
    for variant in ("original", "mean_background", "random_background"):
        assert person[variant]["rank1"] > 0.7
        assert person[variant]["rank1"] > scenery[variant]["rank1"] + 0.3
    assert person["background_only"]["rank1"] < 0.5


def test_metrics_are_complete_and_fit_json(audits):
    metrics = json.loads(json.dumps(audits[1].metrics()))
    parts = {"camera_pairs", "chance_rank1", "attention", "counts", "protocol", "data"}
    assert set(metrics) == {*VARIANTS, *parts}
    assert set(metrics["original"]) == {"rank1", "rank5", "rank10", "rank20", "mAP", "mINP"}
    assert metrics["counts"] == {
        "queries": 12,
        "queries_without_match": 0,
        "gallery": 26,
        "gallery_junk": 1,
        "gallery_distractors": 1,
    }
    # Of 25 gallery images that are not junk, 2 are of the query's camera and 2 are matches.
    assert metrics["chance_rank1"] == pytest.approx(2 / 23)
    assert metrics["data"]["synthetic"] is True
    assert set(metrics["attention"]) == {"original", "random_background"}
    maps = metrics["attention"]["random_background"]["maps"]
    assert set(maps) == {"activation", "half"}
    activation = maps["activation"]
    assert set(activation) == {"inside", "outside", "contrast", "images"}
    assert activation["contrast"] == activation["inside"] - activation["outside"] > 0.3


def test_camera_pairs_are_those_of_the_original_images(reid_folder, audits):
    # Every query has its matches in the other one of the two cameras.
    pairs = audits[1].metrics()["camera_pairs"]
    assert {name: pair["queries"] for name, pair in pairs.items()} == {"1-2": 6, "2-1": 6}
    assert set(pairs["1-2"]) == {"rank1", "rank5", "rank10", "rank20", "mAP", "mINP", "queries"}
    # The matches are the same and there are fewer other images, so no query fares worse.
    whole = audits[1].metrics()["original"]["mAP"]
    assert sum(pair["mAP"] for pair in pairs.values()) / 2 >= whole
    other = audit(PersonModel(), reid_folder, PROTOCOL, name="p", variants=("mean_background",))
    assert other.metrics()["camera_pairs"] == {}


def test_lists_are_of_the_outcome(audits):
    for result in audits:
        for outcome in result.outcomes.values():
            assert len(outcome.lists) == 12
            for (nearest, correct), first in zip(
                outcome.lists, outcome.retrieval.first_match, strict=True
            ):
                assert len(nearest) == 10
                assert (correct.argmax() + 1 == first) if correct.any() else first > 10


def test_batch_size_does_not_matter(reid_folder, audits):
    result = audit(PersonModel(), reid_folder, PROTOCOL, name="person", variants=VARIANTS[:3])
    for variant in VARIANTS[:3]:
        np.testing.assert_array_equal(
            result.outcomes[variant].retrieval.average_precision,
            audits[1].outcomes[variant].retrieval.average_precision,
        )


def test_descriptors_may_come_from_elsewhere(reid_folder, audits):
    embed = embedder(PersonModel(), SIZE_PX, 8, flip_averaging=False)
    asked, seen = [], []

    def describe(variant, split):
        asked.append((variant, split))
        spec = InputSpec(image_size_px=SIZE_PX, variant=variant)
        return describe_split(embed, reid_folder, split, spec, PROTOCOL.seed)

    class OnlyExplains(PersonModel):
        def embed(self, images):
            raise AssertionError("the descriptors were to come from elsewhere")

    result = audit(
        OnlyExplains(),
        reid_folder,
        PROTOCOL,
        name="person",
        describe=describe,
        advance=seen.append,
    )
    assert asked == [(variant, split) for variant in VARIANTS for split in ("query", "gallery")]
    assert sum(seen) == 2 * 12  # the queries of the two variants that are explained
    expected = audits[1].metrics() | {"protocol": result.metrics()["protocol"]}
    assert result.metrics() == expected


def test_camera_filter_can_be_off(reid_folder):
    off = Protocol(image_size_px=SIZE_PX, camera_filter=False)
    result = audit(PersonModel(), reid_folder, off, name="person", variants=("original",))
    assert result.chance_rank1 == pytest.approx(4 / 25)


def test_progress_counts_every_image(reid_folder):
    seen = []
    variants = ("original", "mean_background")
    audit(PersonModel(), reid_folder, PROTOCOL, name="p", variants=variants, advance=seen.append)
    assert sum(seen) == images_to_see(reid_folder, variants) == 2 * (12 + 26) + 12


def test_without_masks_only_the_original_is_measured(folder_without_masks):
    assert available_variants(folder_without_masks) == ("original",)
    result = audit(PersonModel(), folder_without_masks, PROTOCOL, name="person")
    assert list(result.outcomes) == ["original"]
    assert result.metrics()["attention"] == {}


def test_variant_that_needs_masks_is_refused_without_them(folder_without_masks):
    with pytest.raises(UsageError, match=r"needs masks.*--masks_root.*ask for original"):
        audit(
            PersonModel(), folder_without_masks, PROTOCOL, name="p", variants=("mean_background",)
        )


def test_unknown_variant_is_refused(reid_folder):
    with pytest.raises(UsageError, match="'night' is not known"):
        audit(PersonModel(), reid_folder, PROTOCOL, name="p", variants=("night",))


def test_data_without_query_split_is_refused(parsing_folder):
    with pytest.raises(UsageError, match="no split 'query'"):
        available_variants(parsing_folder)
