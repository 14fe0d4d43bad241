import json
from dataclasses import replace

import numpy as np
import pytest

from tests.measured import RecordingProgress
from tfreid.errors import UsageError
from tfreid.evaluation import (
    Describer,
    Measurement,
    audit,
    evaluation_sets,
    figure_rows,
    ranker,
    require_memory,
)
from tfreid.evaluation.descriptors import Descriptors
from tfreid.evaluation.ranker import reranked_blocks
from tfreid.report import write_rankings, write_report
from tfreid.retrieval import CosineDistances, Identities, Reranking, evaluate, rerank
from tfreid.retrieval.memory import available_bytes

PARAMETERS = Reranking(5, 3, 0.3)
MEASUREMENT = Measurement(batch_size=16, reranking=PARAMETERS)


@pytest.fixture(scope="module")
def tested(reid_folder):
    (tested,) = evaluation_sets(reid_folder)
    return tested


@pytest.fixture(scope="module")
def progress():
    return RecordingProgress()


@pytest.fixture(scope="module")
def result(tested, progress, person):
    measurement = replace(MEASUREMENT, variants=("original", "random_background"))
    return audit(person, tested, measurement, progress)


def described(features, persons):
    identities = Identities(np.array(persons), np.arange(len(persons)) % 2)
    return Descriptors(features, identities, np.array([str(i) for i in range(len(persons))]))


def test_junk_is_nobodys_neighbour():
    features = np.random.default_rng(0).standard_normal((14, 6)).astype(np.float32)
    query = described(features[:4], [1, 2, 3, 1])
    gallery = described(features[4:], [1, -1, 2, 3, 0, 1, 2, -1, 3, 1])
    valid = gallery.identities.person != -1
    announced = []
    blocks = reranked_blocks(query, gallery, MEASUREMENT, announce=announced.append)
    final = np.concatenate([*blocks])
    assert np.isinf(final[:, ~valid]).all()
    distances = CosineDistances(query.features, gallery.features[valid])
    np.testing.assert_array_equal(
        final[:, valid], np.concatenate([*rerank(distances, 4, PARAMETERS)])
    )
    assert announced[-1] <= 1.0
    assert announced == sorted(announced)


def test_plain_figures_stay_and_reranked_ones_stand_beside(result, tested, audits):
    metrics = json.loads(json.dumps(result.metrics()))
    plain = audits[1].metrics()
    for variant in ("original", "random_background"):
        figures = dict(metrics[variant])
        assert figures.pop("reranked").keys() == figures.keys()
        assert figures == plain[variant]
    assert metrics["protocol"]["reranking"] == {"k1": 5, "k2": 3, "original_weight": 0.3}
    assert "reranked" not in plain["original"]
    assert metrics["counts"] == plain["counts"]


def test_reranked_figures_are_of_the_reranked_distances(result, tested, person):
    describer = Describer(person, 8)
    query, gallery = (describer.describe(tested.folder, split) for split in ("query", "gallery"))
    valid = gallery.identities.person != -1
    distances = CosineDistances(query.features, gallery.features[valid])
    blocks = rerank(distances, len(query.features), PARAMETERS)
    expected = evaluate(blocks, query.identities, gallery.identities[valid]).retrieval
    np.testing.assert_array_equal(
        result.reranked["original"].retrieval.average_precision, expected.average_precision
    )


def test_what_goes_on_is_said(result, progress):
    notes = progress.notes
    assert notes[0] == "re-ranking original: 0%"
    assert "re-ranking random background: 100%" in notes
    assert notes[-1] == ""


def test_tables_have_rows_of_their_own(result):
    rows = figure_rows(result.metrics())
    assert list(rows) == [
        "original",
        "original_reranked",
        "random_background",
        "random_background_reranked",
    ]
    assert rows["original"].keys() == rows["original_reranked"].keys()


def test_the_page_shows_both_and_says_how(result, audits, tmp_path):
    write_report(tmp_path / "index.html", [result])
    page = (tmp_path / "index.html").read_text()
    for text in ("<td>original</td>", "<td>original reranked</td>", "k1 = 5, k2 = 3, λ = 0.3"):
        assert text in page
    plain = replace(audits[1], outcomes={v: audits[1].outcomes[v] for v in result.outcomes})
    with pytest.raises(ValueError, match="re-ranking"):
        write_report(tmp_path / "index.html", [result, plain])


def test_reranked_lists_have_their_own_files(result, tmp_path):
    alone = replace(
        result,
        outcomes={"original": result.outcomes["original"]},
        reranked={"original": result.reranked["original"]},
    )
    written = write_rankings(tmp_path / "nearest.csv", [alone], length=4)
    assert [path.name for path in written] == ["nearest.csv", "nearest-reranked.csv"]
    lists = result.reranked["original"].lists
    keys = [line.split(",")[2] for line in written[1].read_text().splitlines()[1:5]]
    assert keys == result.gallery_keys[lists.indices[0, :4]].tolist()
    persons = result.gallery.person[lists.indices]
    np.testing.assert_array_equal(persons == result.query.person[:, None], lists.correct)
    assert (persons != -1).all()


def test_every_protocol_of_a_joint_set_is_reranked(joint_folder, person):
    for tested in evaluation_sets(joint_folder):
        result = audit(person, tested, MEASUREMENT)
        figures = result.metrics()["original"]
        assert figures["reranked"].keys() == figures.keys() - {"reranked"}


def test_what_does_not_fit_into_memory_is_refused(tested, monkeypatch):
    assert 0 < require_memory(tested, PARAMETERS, 60) < available_bytes()
    monkeypatch.setattr(ranker, "available_bytes", lambda: 1000)
    with pytest.raises(UsageError, match=r"re-ranking the 38 query .* choose a smaller k1 or k2"):
        require_memory(tested, PARAMETERS, 60)
