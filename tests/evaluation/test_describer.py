from dataclasses import replace

import numpy as np
import pytest
from toy_models import SIZE_PX, LeftModel, PersonModel, SceneryModel

from tests.measured import RecordingProgress
from tfreid.evaluation import (
    DescribedNetwork,
    Describer,
    Measurement,
    Network,
    audit,
    evaluation_sets,
    images_to_see,
)
from tfreid.evaluation.describer import combine
from tfreid.report import write_report
from tfreid.retrieval import cosine_distances

LARGE_PX = (48, 24)
MEASUREMENT = Measurement(("original", "random_background"), batch_size=8)
ORIGINAL = Measurement(("original",), batch_size=8)


@pytest.fixture(scope="module")
def networks():
    """Two networks of different input sizes; one averages with the mirror image."""
    return [
        Network("runs/person", PersonModel(), SIZE_PX),
        Network("runs/scenery", SceneryModel(), LARGE_PX, flip_averaging=True),
    ]


@pytest.fixture(scope="module")
def tested(reid_folder):
    (tested,) = evaluation_sets(reid_folder)
    return tested


@pytest.fixture(scope="module")
def combined(networks, tested):
    return audit(networks, tested, MEASUREMENT)


def test_the_cosine_is_the_mean_of_the_parts():
    rng = np.random.default_rng(0)
    query = [rng.standard_normal((5, size)) * scale for size, scale in ((3, 1), (7, 100))]
    gallery = [rng.standard_normal((6, size)) * scale for size, scale in ((3, 50), (7, 1))]
    parts = [1 - a @ b.T for a, b in zip(map(unit, query), map(unit, gallery), strict=True)]
    both = cosine_distances(combine(query), combine(gallery))
    np.testing.assert_allclose(both, np.mean(parts, axis=0), atol=1e-6)
    weighted = cosine_distances(combine(query, [1, 3]), combine(gallery, [1, 3]))
    np.testing.assert_allclose(weighted, (parts[0] + 3 * parts[1]) / 4, atol=1e-6)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_each_network_has_its_own_size_and_flip_averaging(networks, reid_folder):
    both = Describer(networks, 8).describe(reid_folder, "query", "random_background", seed=3)
    alone = [
        Describer([network], 5).describe(reid_folder, "query", "random_background", seed=3)
        for network in networks
    ]
    np.testing.assert_allclose(both.features, combine([one.features for one in alone]), atol=1e-6)
    assert both.keys.tolist() == alone[0].keys.tolist()
    sizes = [network.descriptor_size for network in networks]
    assert sizes == [one.features.shape[1] for one in alone]


def test_a_combination_of_combinations_is_one_of_weights():
    """L2-normalised and put beside a third, two joined descriptors count a quarter each."""
    rng = np.random.default_rng(1)
    a, b, c = (rng.standard_normal((5, size)) for size in (3, 7, 4))
    nested, flat = combine([combine([a, b]), c]), combine([a, b, c], [1, 1, 2])
    np.testing.assert_allclose(
        cosine_distances(nested, nested), cosine_distances(flat, flat), atol=1e-6
    )


def test_weights_reach_the_descriptors_and_the_metrics(networks, tested, reid_folder):
    weighted = [networks[0], replace(networks[1], weight=2.0)]
    both = Describer(weighted, 8).describe(reid_folder, "query")
    alone = [Describer([network], 8).describe(reid_folder, "query") for network in networks]
    expected = combine([one.features for one in alone], [1, 2])
    np.testing.assert_allclose(both.features, expected, atol=1e-6)
    facts = [network.to_json() for network in weighted]
    assert ["weight" in fact for fact in facts] == [False, True]


class TwoSided(LeftModel):
    """What flip averaging makes of `LeftModel`, said in its own way."""

    def embed(self, images):
        return (super().embed(images) + super().embed(images[:, :, ::-1])) / 2


def test_flip_averaging_reaches_the_descriptors_and_the_audit(tested):
    one_sided = Network("left", LeftModel(), SIZE_PX, flip_averaging=True)
    two_sided = Network("both", TwoSided(), SIZE_PX)
    averaged, expected = (
        Describer([network], 8).describe(tested.folder, "gallery").features
        for network in (one_sided, two_sided)
    )
    np.testing.assert_allclose(averaged, expected, atol=1e-4)
    precisions = {}
    for network in (one_sided, two_sided, Network("plain", LeftModel(), SIZE_PX)):
        result = audit([network], tested, Measurement(("original",), batch_size=8))
        precisions[network.name] = result.outcomes["original"].retrieval.average_precision
    np.testing.assert_array_equal(precisions["left"], precisions["both"])
    assert (precisions["left"] != precisions["plain"]).any()


def test_one_network_describes_as_it_is(networks, reid_folder):
    found = Describer(networks[:1], 8).describe(reid_folder, "query")
    assert not np.allclose(np.linalg.norm(found.features, axis=1), 1)


def test_an_audit_compares_the_combined_descriptors(networks, tested, combined):
    describer = Describer(networks, 8)
    descriptors = {
        (variant, split): describer.describe(tested.folder, split, variant)
        for variant in MEASUREMENT.variants
        for split in ("query", "gallery")
    }
    first = networks[0]
    described = DescribedNetwork("both", first.model, SIZE_PX, descriptors=descriptors)
    again = audit([described], tested, MEASUREMENT)
    for variant, outcome in combined.outcomes.items():
        expected = again.outcomes[variant].retrieval
        np.testing.assert_array_equal(
            outcome.retrieval.average_precision, expected.average_precision
        )
    alone = audit(networks[:1], tested, ORIGINAL)
    assert alone.metrics()["original"] != combined.metrics()["original"]


def test_figures_name_every_network(combined, tmp_path):
    protocol = combined.metrics()["protocol"]
    assert protocol["combined"] == [
        {"name": "runs/person", "image_size_px": [32, 16], "flip_averaging": False},
        {"name": "runs/scenery", "image_size_px": [48, 24], "flip_averaging": True},
    ]
    assert "image_size_px" not in protocol
    assert combined.name == "runs/person + runs/scenery"
    write_report(tmp_path / "index.html", [combined])
    page = (tmp_path / "index.html").read_text()
    inputs = "runs/person 32x16 px, runs/scenery 48x24 px, averaged with the mirror image"
    assert inputs in page.replace("\N{MULTIPLICATION SIGN}", "x")
    assert "each of unit length, one after the other" in page


def test_progress_counts_the_images_of_every_network(networks, tested):
    progress = RecordingProgress()
    audit(networks, tested, ORIGINAL, progress)
    assert progress.done == images_to_see(networks, tested, ORIGINAL) == 2 * (12 + 26) + 12
