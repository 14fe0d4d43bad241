"""Audits by reconstruction distance, of a model with position features."""

import json

import numpy as np
import pytest
from toy_models import SIZE_PX, PersonModel, PositionModel

from tests.measured import RecordingProgress
from tfreid.errors import UsageError
from tfreid.evaluation import Measurement, Network, PositionStore, audit, evaluation_sets
from tfreid.evaluation.position_store import open_stores
from tfreid.evaluation.reconstruction_errors import error_map
from tfreid.inputs import InputSpec, evaluation_batches
from tfreid.report import write_rankings, write_report
from tfreid.retrieval import ReconstructionMatching, Reranking

EXACT = ReconstructionMatching("exact", beta=0.01)
VARIANTS = ("original", "random_background")


@pytest.fixture(scope="module")
def tested(reid_folder):
    (tested,) = evaluation_sets(reid_folder)
    return tested


def measure(tested, matching, variants=("original",), model=None, flip=False, **options):
    networks = [Network("toy", model or PositionModel(), SIZE_PX, flip)]
    measurement = Measurement(variants, batch_size=8, matching=matching)
    return audit(networks, tested, measurement, **options)


@pytest.fixture(scope="module")
def exact(tested):
    return measure(tested, EXACT, VARIANTS)


def by_definition(tested):
    """Distances `[12, 26]` of the original images from FPR's equations 1 to 5, in float64."""
    model, sets = PositionModel(), []
    for split in ("query", "gallery"):
        (batch,) = evaluation_batches(tested.folder, split, InputSpec(SIZE_PX), 64, 0)
        outputs = model.embed(batch["image"])
        sets.append(
            [outputs[name].numpy().astype("float64") for name in ("positions", "foreground")]
        )
    (probes, weights), (gallery, _) = sets
    distances = np.empty((len(probes), len(gallery)))
    for row, column in np.ndindex(distances.shape):
        x, y = probes[row].T, gallery[column].T
        w = np.linalg.solve(y.T @ y + 0.01 * np.eye(y.shape[1]), y.T @ x)
        distances[row, column] = np.linalg.norm(x - y @ w, axis=0) @ weights[row]
    return distances


def test_lists_have_the_distances_of_the_equations(tested, exact):
    expected = by_definition(tested)
    lists = exact.outcomes["original"].lists
    found = np.take_along_axis(expected, lists.indices, axis=1)
    np.testing.assert_allclose(lists.distances, found, atol=1e-4)
    assert (np.diff(found, axis=1) > -1e-4).all()


def test_figures_say_how_images_were_matched(tested, exact, tmp_path):
    facts = {"mode": "exact", "beta": 0.01, "position_storage": "float32"}
    assert json.loads(json.dumps(exact.metrics()))["matching"] == facts
    assert exact.name == "toy (exact)"
    pooled = measure(tested, None)
    assert pooled.name == "toy (pooled)"
    assert pooled.metrics()["matching"] == {"mode": "pooled"}
    plain = measure(tested, None, model=PersonModel())
    assert plain.name == "toy"
    assert plain.metrics()["matching"] == {"mode": "cosine"}
    assert pooled.metrics()["original"] == plain.metrics()["original"]
    assert exact.metrics()["original"] != pooled.metrics()["original"]
    shortlist = measure(tested, ReconstructionMatching("shortlist", shortlist_size=5))
    assert shortlist.metrics()["matching"]["shortlist_size"] == 5
    files = write_rankings(tmp_path / "nearest.csv", [shortlist], 3)
    assert [path.name for path in files] == ["nearest-shortlist.csv"]
    assert [path.name for path in write_rankings(tmp_path / "n.csv", [plain], 3)] == ["n.csv"]


def test_page_says_it_too_and_shows_the_errors(exact, tmp_path):
    write_report(tmp_path / "index.html", [exact])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("reconstruction distance (FPR, eq. 5) of every pair") == 2
    assert "What the nearest image explains" in page
    pairs = exact.reconstructed["random_background"]
    assert (
        page.count('alt="query error"') == page.count('alt="match error"') == 2 * len(pairs.queries)
    )


def test_errors_are_drawn_on_the_nearest_pairs(tested, exact):
    pairs = exact.reconstructed["original"]
    places = np.random.default_rng(0).permutation(12)[:10]
    lists = exact.outcomes["original"].lists
    np.testing.assert_array_equal(pairs.distances, lists.distances[places, 0])
    matches = tested.images("gallery", "original", lists.indices[places, 0], SIZE_PX, 0)
    np.testing.assert_array_equal(pairs.matches, matches)
    # The person's patches, whose weights are equal, do not overlap here.
    on_person = pairs.query_errors[:, 8:28, 4:12].mean(axis=(1, 2))
    np.testing.assert_allclose(on_person, pairs.distances, atol=1e-4)


def test_pixels_have_the_mean_error_of_what_covers_them():
    patches = np.array([[0, 0, 2, 2], [1, 0, 3, 2]])
    found = error_map(np.array([1.0, 3.0]), patches, (4, 3))
    np.testing.assert_array_equal(found[:, 0], [1, 2, 3, 2])
    np.testing.assert_array_equal(found[:, 2], [2, 2, 2, 2])


class Interrupting(RecordingProgress):
    """Stops an audit when it begins to match."""

    def note(self, text):
        if text.startswith("matching"):
            raise KeyboardInterrupt


def test_a_stopped_audit_goes_on(tested, exact, tmp_path):
    made_from = {"weights": "abc"}
    first = PositionStore(tmp_path / "store", made_from, "float32")
    with pytest.raises(KeyboardInterrupt):
        measure(tested, EXACT, VARIANTS, store=first, progress=Interrupting())

    class Blind(PositionModel):
        """Describes no image of the test set, only what tells the shapes."""

        def embed(self, images):
            assert len(images) == 1
            return super().embed(images)

    again = PositionStore(tmp_path / "store", made_from, "float32")
    progress = RecordingProgress()
    found = measure(tested, EXACT, model=Blind(), store=again, progress=progress)
    assert found.metrics()["original"] == exact.metrics()["original"]
    assert progress.done == 12 + 26 + 12
    PositionStore(tmp_path / "store", {"weights": "other"}, "float32")
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["made_from.json"]


def test_half_precision_changes_little(tested, exact):
    measurement = Measurement(("original",), matching=EXACT, position_storage="float16")
    half = audit([Network("toy", PositionModel(), SIZE_PX)], tested, measurement)
    for one, other in zip(half.outcomes.values(), exact.outcomes.values(), strict=False):
        np.testing.assert_allclose(one.lists.distances, other.lists.distances, atol=5e-3)
    assert half.metrics()["matching"]["position_storage"] == "float16"


def test_reranking_starts_from_the_reconstruction_distance(tested):
    whole = Reranking(k1=3, k2=1, original_weight=1.0)
    measurement = Measurement(("original",), matching=EXACT, reranking=whole)
    result = audit([Network("toy", PositionModel(), SIZE_PX)], tested, measurement)
    # With all of the weight on the plain distance, the order stays what it was.
    assert result.metrics()["original"]["reranked"] == pytest.approx(
        {k: v for k, v in result.metrics()["original"].items() if k != "reranked"}
    )


def test_what_cannot_be_compared_by_position_is_refused(tested):
    for options in ({"model": PersonModel()}, {"flip": True}):
        with pytest.raises(UsageError, match="takes one network, which computes"):
            measure(tested, EXACT, **options)


def test_combinations_take_the_pooled_descriptor(tested):
    networks = [Network("a", PositionModel(), SIZE_PX), Network("b", PersonModel(), SIZE_PX)]
    result = audit(networks, tested, Measurement(("original",)))
    assert result.metrics()["protocol"]["combined"][0]["descriptor"] == "pooled"
    assert result.name == "a + b"
    with pytest.raises(UsageError, match="takes one network"):
        audit(networks, tested, Measurement(("original",), matching=EXACT))


def test_a_disk_without_room_for_position_features_is_named(tested, tmp_path, full_disk):
    network = Network("", PositionModel(), SIZE_PX)
    measurement = Measurement(("original",), matching=ReconstructionMatching("exact", 0.01))
    with pytest.raises(UsageError, match=r"the position features take about .* position_storage="):
        open_stores(tmp_path / "matching", "", [tested], measurement, network)
    assert not list(tmp_path.iterdir())


def test_a_second_evaluation_destroys_nothing_of_one_that_runs(tested, tmp_path):
    network = Network("", PositionModel(), SIZE_PX)
    measurement = Measurement(("original",), matching=ReconstructionMatching("exact", 0.01))
    arguments = [tested], measurement, network
    stores, _ = open_stores(tmp_path / "matching", "one", *arguments)
    (work,) = (tmp_path / "matching").glob("*/made_from.json")
    before = work.read_text()
    with pytest.raises(UsageError, match=r"another process evaluates into .*matching now"):
        open_stores(tmp_path / "matching", "other", *arguments)
    assert work.read_text() == before
    del stores
    open_stores(tmp_path / "matching", "other", *arguments)
    assert work.read_text() != before


def test_a_link_is_no_place_for_position_features(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    (tmp_path / "store").symlink_to("theirs")
    with pytest.raises(UsageError, match=r"store is a link"):
        PositionStore(tmp_path / "store", {"weights": "a"}, "float32")
    assert (tmp_path / "theirs" / "file").exists()
