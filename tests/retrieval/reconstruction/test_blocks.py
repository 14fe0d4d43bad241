import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.position_features import by_equations, cosine, features, positions_of
from tfreid.errors import UsageError
from tfreid.retrieval.reconstruction import (
    ReconstructionMatching,
    estimate,
    reconstruction_blocks,
    reconstruction_distance,
    reconstruction_errors,
)
from tfreid.retrieval.reconstruction import products as reconstruction_products
from tfreid.retrieval.reconstruction.positions import PositionFeatures

COUNTS = [7, 1, 12, 5, 30, 2, 9, 3, 40, 8, 6, 11, 4, 10]


def distances(query, gallery, *args, **kwargs):
    return np.concatenate(list(reconstruction_blocks(query, gallery, *args, **kwargs)))


@pytest.fixture(scope="module")
def query():
    return features([6, 30, 1, 11, 17, 3], seed=1)


@pytest.fixture(scope="module")
def gallery():
    return features(COUNTS, seed=2)


@pytest.mark.parametrize("beta", [0.01, 0.001, 1.0])
def test_equals_the_equations_for_images_of_all_sizes(query, gallery, beta):
    found = distances(query, gallery, ReconstructionMatching(beta=beta))
    assert (found.dtype, found.shape) == (np.float32, (6, 14))
    np.testing.assert_allclose(found, by_equations(query, gallery, beta), atol=1e-5)


def test_a_pair_alone_equals_the_equations(query, gallery):
    expected = by_equations(query, gallery)
    x, y = (positions_of(images, 4).T for images in (query, gallery))
    weights = query.weights[query.starts[4] : query.starts[5]]
    assert reconstruction_distance(x, weights, y, 0.01) == pytest.approx(expected[4, 4], abs=1e-9)
    assert reconstruction_errors(x, y, 0.01).shape == (17,)
    np.testing.assert_allclose(reconstruction_errors(x, 0 * y, 0.01), 1, atol=1e-6)


def test_float16_positions_are_the_values_that_they_are(gallery):
    halves = features([6, 30, 1], seed=1, dtype=np.float16)
    np.testing.assert_allclose(distances(halves, gallery), by_equations(halves, gallery), atol=1e-5)


@pytest.mark.parametrize("beta", [0.01, 1e-6])
def test_alike_constant_and_empty_images(beta):
    """Where the squares of a position and of its reconstruction agree in float32."""
    images = features([110, 110, 20, 20, 1], size=64)
    rows = images.positions.copy()
    rows[110:220] = rows[:110]
    rows[220:240] = rows[220]
    rows[240:260] = 0
    images = PositionFeatures(rows, images.weights, images.starts, images.pooled)
    expected = by_equations(images, images, beta)
    assert expected[2, 2] < 1e-3
    found = distances(images, images, ReconstructionMatching(beta=beta))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found[3], 0)
    np.testing.assert_allclose(found[:3, 3], 1, atol=1e-6)


def test_a_half_of_an_image_is_reconstructed_from_the_whole():
    whole = features([40, 40], size=200)
    half = PositionFeatures(
        whole.positions[:20], np.full(20, 0.05, np.float32), np.array([0, 20]), whole.pooled[:1]
    )
    np.testing.assert_allclose(distances(half, whole), by_equations(half, whole), atol=1e-5)
    assert 5 * distances(half, whole)[0, 0] < distances(whole[:1], half)[0, 0]


@pytest.mark.parametrize("mode", ["shortlist", "blend"])
@pytest.mark.parametrize("size", [1, 4, 14, 100])
def test_shortlists_reconstruct_the_nearest(query, gallery, mode, size):
    matching = ReconstructionMatching(mode, shortlist_size=size, blend_weight=0.3)
    weight = 0.3 if mode == "blend" else 0.0
    pooled = cosine(query, gallery)
    expected = 2 + pooled
    blended = weight * pooled + (1 - weight) * by_equations(query, gallery)
    near = np.argsort(pooled, axis=1)[:, :size]
    for row, images in enumerate(near):
        expected[row, images] = blended[row, images]
    found = distances(query, gallery, matching)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    if size == 4:
        others = np.sort(found, axis=1)[:, 4:]
        assert (others >= 2).all()
        assert np.isfinite(others).all()


def test_a_shortlist_takes_all_that_tie_with_its_last():
    images = features([3, 4, 5, 6])
    images.pooled[1:] = images.pooled[1]
    found = distances(images[:1], images, ReconstructionMatching("shortlist", shortlist_size=2))
    np.testing.assert_allclose(found, by_equations(images[:1], images), atol=1e-5)


@pytest.mark.parametrize("mode", ["exact", "shortlist"])
def test_no_bit_depends_on_budget_or_threads(mode, tmp_path, monkeypatch):
    monkeypatch.setattr(reconstruction_products, "TILE_POSITIONS", 40)
    query, gallery = features([20, 30, 1, 7, 9], size=300), features(COUNTS * 4, size=300)
    generous = ReconstructionMatching(mode, shortlist_size=10)
    whole = distances(query, gallery, generous)
    query.save(tmp_path / "query")
    gallery.save(tmp_path / "gallery")
    mapped = [PositionFeatures.open(tmp_path / name) for name in ("query", "gallery")]
    tight = dataclasses.replace(generous, memory_budget_gib=least_gib(*mapped, generous))
    folder = tmp_path / "parts"
    np.testing.assert_array_equal(distances(*mapped, tight, folder=folder), whole)
    assert len(list(folder.iterdir())) > 3
    monkeypatch.setattr("tfreid.retrieval.reconstruction.job.ThreadPoolExecutor", _one_thread)
    np.testing.assert_array_equal(distances(query, gallery, generous), whole)


def _one_thread(threads):
    return ThreadPoolExecutor(1)


def test_a_stopped_run_goes_on(query, gallery, tmp_path, monkeypatch):
    monkeypatch.setattr(reconstruction_products, "TILE_POSITIONS", 20)
    whole = distances(query, gallery)
    tight = ReconstructionMatching(memory_budget_gib=least_gib(query, gallery))

    class StoppedError(Exception):
        pass

    def stop(done):
        if done > 0.5:
            raise StoppedError

    with pytest.raises(StoppedError):
        distances(query, gallery, tight, folder=tmp_path, announce=stop)
    finished = {path.name for path in tmp_path.iterdir()}
    assert finished
    assert all(name.endswith(".npy") for name in finished)
    left = estimate(query, gallery, tight, folder=tmp_path).pairs
    assert 0 < left < len(query) * len(gallery)

    fractions = []
    again = distances(query, gallery, folder=tmp_path, announce=fractions.append)
    np.testing.assert_array_equal(again, whole)
    assert 0.2 < fractions[0] < fractions[-1] == 1
    assert estimate(query, gallery, folder=tmp_path).pairs == 0


def test_what_belongs_to_other_features_or_parameters_is_not_taken(query, gallery, tmp_path):
    distances(query, gallery, folder=tmp_path)
    other = PositionFeatures(gallery.positions, gallery.weights, gallery.starts, gallery.pooled)
    changed = other.positions.copy()
    changed[-1] = changed[0]
    other = PositionFeatures(changed, other.weights, other.starts, other.pooled)
    for images, matching in (
        (other, ReconstructionMatching()),
        (gallery, ReconstructionMatching(beta=0.1)),
        (gallery, ReconstructionMatching("shortlist", shortlist_size=3)),
    ):
        expected = distances(query, images, matching)
        found = distances(query, images, matching, folder=tmp_path)
        np.testing.assert_array_equal(found, expected)


def test_a_blend_of_another_weight_takes_what_is_finished(query, gallery, tmp_path):
    distances(query, gallery, ReconstructionMatching("shortlist", 0.01, 5), folder=tmp_path)
    blend = ReconstructionMatching("blend", 0.01, 5, blend_weight=0.7)
    assert estimate(query, gallery, blend, folder=tmp_path).pairs == 0
    found = distances(query, gallery, blend, folder=tmp_path)
    np.testing.assert_array_equal(found, distances(query, gallery, blend))


def test_refuses_a_budget_that_is_too_small(query, gallery):
    matching = ReconstructionMatching(memory_budget_gib=0.001)
    for ask in (estimate, distances):
        with pytest.raises(UsageError, match="allow at least that"):
            ask(query, gallery, matching)
    least = ReconstructionMatching(memory_budget_gib=least_gib(query, gallery))
    assert distances(query, gallery, least).size


def test_refuses_what_the_machine_does_not_have(query, gallery, monkeypatch):
    monkeypatch.setattr("tfreid.retrieval.reconstruction.memory.available_bytes", lambda: 1000)
    with pytest.raises(UsageError, match=r"and 0\.00 GiB are available"):
        distances(query, gallery)


def least_gib(query, gallery, matching=None):
    """The smallest budget that is not refused."""
    matching = matching or ReconstructionMatching()
    refused, enough = 0, 2**31
    while enough - refused > 1:
        budget = (refused + enough) // 2
        try:
            estimate(
                query, gallery, dataclasses.replace(matching, memory_budget_gib=budget / 2**30)
            )
            enough = budget
        except UsageError:
            refused = budget
    return enough / 2**30


def test_estimates(query, gallery):
    found = estimate(query, gallery, ReconstructionMatching("shortlist", shortlist_size=3))
    assert found.pairs == 3 * len(query)
    assert 0 < found.seconds < 10
    assert found.bytes > gallery.positions.nbytes


@pytest.mark.parametrize("part", ["positions", "weights"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_names_the_image_that_is_not_finite(query, gallery, part, value):
    def spoiled(images, row):
        values = getattr(images, part).copy()
        values[row] = value
        parts = {
            name: getattr(images, name) for name in ("positions", "weights", "starts", "pooled")
        }
        return PositionFeatures(**{**parts, part: values})

    with pytest.raises(ValueError, match="query image 3 has"):
        distances(spoiled(query, 40), gallery)
    if part == "positions":
        with pytest.raises(ValueError, match="gallery image 2 has"):
            distances(query, spoiled(gallery, 10))


def test_refuses_features_that_do_not_fit(query, gallery):
    with pytest.raises(ValueError, match="positions have 24 values in the queries and 5"):
        distances(query, features([3], size=5))
    with pytest.raises(ValueError, match="0 queries and 14 gallery images"):
        distances(query[:0], gallery)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "fast"},
        {"beta": 0},
        {"beta": float("nan")},
        {"shortlist_size": 0},
        {"blend_weight": 1.1},
        {"memory_budget_gib": 0},
    ],
)
def test_refuses_parameters_that_mean_nothing(wrong):
    with pytest.raises(UsageError, match="expected"):
        ReconstructionMatching(**wrong)


def test_only_its_own_module_brings_beam():
    folder = Path(reconstruction_products.__file__).parent
    brings = {path.stem for path in folder.glob("*.py") if "apache_beam" in path.read_text()}
    uses = [
        path for path in folder.glob("*.py") if "reconstruction.beam import" in path.read_text()
    ]
    assert (brings, uses) == ({"beam"}, [])
