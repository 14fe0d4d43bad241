"""Data of which only some images have masks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from toy_models import SIZE_PX, PersonModel, PositionModel

from tests.measured import RecordingProgress, lacks_mask
from tfreid.errors import UsageError
from tfreid.evaluation import (
    DescribedNetwork,
    Describer,
    Measurement,
    Network,
    audit,
    available_variants,
    evaluation_sets,
    images_to_see,
    variants_of,
)
from tfreid.inputs import VARIANTS
from tfreid.retrieval import ReconstructionMatching, Reranking

MEASUREMENT = Measurement(batch_size=8)


@pytest.fixture(scope="module")
def tested(partly_masked_folder):
    (tested,) = evaluation_sets(partly_masked_folder)
    return tested


@pytest.fixture(scope="module")
def result(tested, person):
    return audit(person, tested, MEASUREMENT)


@pytest.fixture(scope="module")
def masked_alone(market_folder, person):
    """The audit of a folder of those images alone that have masks."""
    folder = market_folder(lambda rows: [row for row in rows if not lacks_mask(row)])
    (tested,) = evaluation_sets(folder)
    return audit(person, tested, MEASUREMENT)


def test_the_images_are_known(tested):
    queries, gallery = (len(tested.masked[split]) for split in ("query", "gallery"))
    assert 6 <= queries < 12
    assert 15 <= gallery < 26
    assert tested.is_partly_masked
    assert tested.has_masked_match
    assert available_variants(tested.folder) == variants_of(tested) == VARIANTS


def test_the_originals_are_all_images(result, audits):
    whole, part = audits[1].metrics(), result.metrics()
    assert part["original"] == whole["original"]
    assert part["camera_pairs"] == whole["camera_pairs"]
    assert part["counts"] == whole["counts"]


def test_variants_are_of_the_images_with_masks_alone(result, masked_alone):
    found, expected = result.metrics(), masked_alone.metrics()
    for variant in ("mean_background", "background_only"):
        assert found[variant] == expected[variant]
    assert found["original_with_masks"] == expected["original"]
    part, alone = found["intervals"], expected["intervals"]
    assert part["losses"]["mean_background"] == alone["losses"]["mean_background"]
    assert part["figures"]["original_with_masks"] == alone["figures"]["original"]
    assert "original_with_masks" not in expected
    masks = {split: len(result.tested.masked[split]) for split in ("query", "gallery")}
    assert found["masks"] == masks | {"queries_used": expected["counts"]["queries_used"]}
    assert "masks" not in expected
    assert found["attention"]["original"] == expected["attention"]["original"]
    json.dumps(found)


def test_lists_name_images_among_all(result, masked_alone):
    masked = result.tested.masked
    for variant in ("mean_background", "background_only"):
        lists, alone = (each.outcomes[variant].lists for each in (result, masked_alone))
        by_key = {key: row for row, key in enumerate(masked_alone.query_keys)}
        for query in masked["query"]:
            row = by_key[str(result.query_keys[query])]
            there = alone.indices[row] >= 0
            found = result.gallery_keys[lists.indices[query][there]]
            np.testing.assert_array_equal(
                found, masked_alone.gallery_keys[alone.indices[row][there]]
            )
        others = np.setdiff1d(np.arange(12), masked["query"])
        assert (lists.indices[others] == -1).all()
        assert not lists.correct[others].any()


def test_progress_counts_what_is_seen(tested, person):
    progress = RecordingProgress()
    audit(person, tested, MEASUREMENT, progress)
    assert progress.done == images_to_see(person, tested, MEASUREMENT)


def test_descriptors_from_elsewhere_are_of_all_images(tested, result, person, partly_masked_folder):
    describer = Describer(person, 8)
    descriptors = {}
    for variant in VARIANTS:
        for split in ("query", "gallery"):
            records = tested.measured(split, variant)
            found = describer.describe(partly_masked_folder, split, variant, indices=records)
            whole = np.zeros((len(tested.records[split]), found.features.shape[1]), np.float32)
            whole[records] = found.features
            identities, keys = tested.identities(split)
            descriptors[variant, split] = replace(
                found, features=whole, identities=identities, keys=keys
            )
    network = DescribedNetwork("person", PersonModel(), SIZE_PX, descriptors=descriptors)
    assert audit([network], tested, MEASUREMENT).metrics() == result.metrics()


def test_variants_without_the_original_name_all_images(tested, person, result):
    found = audit(person, tested, replace(MEASUREMENT, variants=("mean_background",)))
    assert found.with_masks is None
    assert found.losses == {}
    np.testing.assert_array_equal(found.query_keys, result.query_keys)
    assert found.metrics()["counts"]["queries"] == 12


def test_reranked_variants_have_their_places_too(tested, person):
    reranking = Reranking(3, 2, 0.3)
    found = audit(person, tested, replace(MEASUREMENT, reranking=reranking))
    assert found.reranked["mean_background"].lists.indices.shape[0] == 12


def test_reconstruction_takes_all_or_none(tested):
    network = [Network("positions", PositionModel(), SIZE_PX)]
    exact = replace(MEASUREMENT, matching=ReconstructionMatching("exact", 0.01))
    with pytest.raises(UsageError, match=r"some images of market1501 have no mask.*pooled"):
        audit(network, tested, exact)
    audit(network, tested, replace(exact, variants=("original",)))


def test_without_a_match_among_images_with_masks_the_originals_are_left(market_folder):
    masked = {"query": (9, 10), "gallery": (11, 12)}
    folder = market_folder(
        lambda rows: [
            row if row.person_id in masked.get(row.split, ()) else replace(row, mask_path=None)
            for row in rows
        ]
    )
    (tested,) = evaluation_sets(folder)
    assert available_variants(folder) == VARIANTS
    assert variants_of(tested) == ("original",)
