"""The evaluate command, on runs of one step."""

import json
from dataclasses import replace

import pytest

from tests.commands import run_command
from tfreid.datasets import Reading, rows_of
from tfreid.records import ImageSet, conversion
from tfreid.records.sources import plan


def test_run_is_audited(dgd_run):
    done = run_command("evaluate", f"--run={dgd_run}", "--batch_size=8")
    assert done.returncode == 0, done.stderr
    for words in (
        "market1501: protocol market (the data set's own): single query",
        "random background",
        "rank1",
        "mAP",
        "mINP",
        "queries: 12, all used",
        "gallery: 26, 25 used (distractors, which match nobody: 1); left out: 1 junk, 24 for",
        "report/index.html",
        "95% interval",
        "dgd: On random background images rank-1",
        "6 persons are few",
    ):
        assert words in done.stdout, words
    evaluation = json.loads((dgd_run / "metrics.json").read_text())["evaluation"]
    assert 0 <= evaluation["random_background"]["rank1"] <= 1
    assert evaluation["protocol"]["name"] == "market"
    assert set(evaluation["intervals"]["losses"]["random_background"]) == {"rank1", "mAP"}
    page = (dgd_run / "report" / "index.html").read_text(encoding="utf-8")
    assert "python -m tfreid.evaluate" in page
    assert "dgd: identity" in page  # the chart of its only loss
    assert set(evaluation["attention"]["random_background"]["maps"]) == {"activation"}


@pytest.mark.slow
def test_options_reach_the_protocol(dgd_run, reid_folder, tmp_path):
    done = run_command(
        "evaluate",
        f"--run={dgd_run}",
        f"--data={reid_folder.path}",
        f"--out={tmp_path / 'out'}",
        "--variants=original,mean_background",
        "--flip_averaging",
        "--protocol=no_camera",
        "--average_precision=trapezoid",
        "--batch_size=5",
        f"--save_rankings={tmp_path / 'nearest.csv'}",
        "--rankings_length=24",
    )
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((tmp_path / "out" / "metrics.json").read_text())["evaluation"]
    assert "random_background" not in evaluation
    assert evaluation["protocol"] == {
        "name": "no_camera",
        "camera_filter": False,
        "gallery_draws": 0,
        "image_size_px": [32, 16],
        "batch_size": 5,
        "flip_averaging": True,
        "average_precision": "trapezoid",
        "seed": 0,
        "reranking": None,
    }
    assert (tmp_path / "out" / "report" / "index.html").is_file()
    assert "protocol no_camera (asked for; the data set's own is market)" in done.stdout
    for variant in ("original", "mean_background"):
        lines = (tmp_path / f"nearest-{variant}.csv").read_text().splitlines()
        assert len(lines) == 1 + 12 * 24


@pytest.mark.slow
def test_several_runs_are_measured_as_one_and_reranked(dgd_run, larger_dgd_run, tmp_path):
    out = tmp_path / "out"
    done = run_command(
        "evaluate",
        f"--run={dgd_run}",
        f"--run={larger_dgd_run}",
        f"--out={out}",
        "--variants=original",
        "--rerank",
        "--rerank_k1=5",
        "--rerank_lambda=0.2",
        "--run_weights=1,3",
        f"--save_rankings={tmp_path / 'nearest.csv'}",
    )
    assert done.returncode == 0, done.stderr
    for words in ("re-ranking takes about", "dgd + larger", "original reranked"):
        assert words in done.stdout, words
    evaluation = json.loads((out / "metrics.json").read_text())["evaluation"]
    assert [network["name"] for network in evaluation["protocol"]["combined"]] == [
        "dgd",
        "larger",
    ]
    weights = [network.get("weight", 1) for network in evaluation["protocol"]["combined"]]
    assert weights == [1, 3]
    assert evaluation["protocol"]["reranking"] == {"k1": 5, "k2": 6, "original_weight": 0.2}
    assert 0 <= evaluation["original"]["reranked"]["mAP"] <= 1
    page = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert str(larger_dgd_run) in page  # in the command
    assert "larger 48\N{MULTIPLICATION SIGN}24 px, weight 3" in page
    assert "larger: identity" in page  # its loss
    assert (tmp_path / "nearest-reranked.csv").exists()


@pytest.mark.slow
def test_position_features_are_matched_as_asked(reid_folder, tmp_path):
    run, out = tmp_path / "fpr", tmp_path / "out"
    small = ("--scale=demo", "--recipe.image_size_px=(64,32)", "--recipe.backbone_width=0.05")
    step = ("--recipe.schedule.epochs=1", "--recipe.schedule.steps_per_epoch=1")
    batch = ("--recipe.schedule.decay_epochs=()", "--recipe.persons_per_batch=2")
    data = f"--data={reid_folder.path}"
    done = run_command(
        "train", "--method=fpr", data, f"--out={run}", "--noexport", *small, *step, *batch
    )
    assert done.returncode == 0, done.stderr
    options = ("--variants=original", "--shortlist_size=5", "--position_storage=float16")
    lists = f"--save_rankings={tmp_path / 'nearest.csv'}"
    done = run_command(
        "evaluate", f"--run={run}", f"--out={out}", "--matching=shortlist", lists, *options
    )
    assert done.returncode == 0, done.stderr
    for words in ("matching: shortlist, of", "pairs to reconstruct, about", "fpr (shortlist)"):
        assert words in done.stdout, words
    evaluation = json.loads((out / "metrics.json").read_text())["evaluation"]
    assert evaluation["matching"] == {
        "mode": "shortlist",
        "beta": 0.01,
        "shortlist_size": 5,
        "position_storage": "float16",
    }
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "report"]
    assert (tmp_path / "nearest-shortlist.csv").is_file()
    done = run_command("evaluate", f"--run={run}", "--flip_averaging")
    assert (done.returncode, "leave --flip_averaging out" in done.stderr) == (2, True)


@pytest.mark.slow
def test_data_sets_of_a_joint_set_are_measured_apart(dgd_run, raw_data, tmp_path):
    rows = rows_of("market1501", raw_data / "market1501")
    other = [replace(row, key=row.key.replace("market1501/", "other/")) for row in rows]
    given = [ImageSet("market1501", given=Reading(rows)), ImageSet("other", given=Reading(other))]
    conversion.convert(plan(given, 2, 0, 0), tmp_path / "joint", conversion.ConversionOptions())
    done = run_command(
        "evaluate", f"--run={dgd_run}", f"--data={tmp_path / 'joint'}", f"--out={tmp_path / 'out'}"
    )
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((tmp_path / "out" / "metrics.json").read_text())["evaluation"]
    one, two = (evaluation["datasets"][name] for name in ("market1501", "other"))
    assert one["original"] == pytest.approx(two["original"])
    assert one["counts"] == two["counts"]
    for name in ("market1501", "other"):
        assert f"{name}: protocol market" in done.stdout
        assert f"dgd, {name}" in done.stdout


@pytest.mark.slow
def test_parsing_network_is_scored_by_pixel(parsing_run):
    done = run_command("evaluate", f"--run={parsing_run}", "--batch_size=4")
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((parsing_run / "metrics.json").read_text())["evaluation"]
    assert set(evaluation["classes"]) == {"background", "head", "upper-torso", "lower-torso"}
    assert {"accuracy", "precision", "recall", "f1", "iou"} < set(evaluation)
    assert "upper-torso" in done.stdout
    refused = run_command("evaluate", f"--run={parsing_run}", "--seed=1", "--variants=original")
    wanted = "error: --variants: a parsing network gives no descriptors; leave it out\n"
    assert (refused.returncode, refused.stderr) == (2, wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data={parsing}"], "parsing records and reid records are expected"),
        (["--variants=night"], "'night' is not known"),
        (["--save_rankings=nearest.txt"], "must end in .csv or .json"),
        (["--run=elsewhere"], "more than one --run needs --out"),
        (["--position_storage=float16"], "--position_storage=float16 is for runs that give"),
        (["--run={parser}", "--out={out}"], "which gives no descriptors: there is nothing to co"),
        (["--rerank", "--rerank_lambda=2"], "rerank_lambda"),
        (["--matching=exact"], "--matching=exact is for runs that give position features"),
    ],
)
def test_misuse_is_explained(dgd_run, parsing_folder, parsing_run, tmp_path, arguments, message):
    paths = {"parsing": parsing_folder.path, "parser": parsing_run, "out": tmp_path / "out"}
    filled = [argument.format(**paths) for argument in arguments]
    done = run_command("evaluate", f"--run={dgd_run}", *filled)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
