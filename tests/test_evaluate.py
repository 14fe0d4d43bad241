"""The evaluate command, on runs of one step."""

import json

import pytest

from tests.commands import run_command

pytestmark = pytest.mark.slow


def test_run_is_audited(dgd_run):
    done = run_command("evaluate", f"--run={dgd_run}", "--batch_size=8")
    assert done.returncode == 0, done.stderr
    for words in ("random background", "rank1", "mAP", "12 queries", "report/index.html"):
        assert words in done.stdout
    evaluation = json.loads((dgd_run / "metrics.json").read_text())["evaluation"]
    assert 0 <= evaluation["random_background"]["rank1"] <= 1
    assert evaluation["protocol"]["camera_filter"] is True
    page = (dgd_run / "report" / "index.html").read_text(encoding="utf-8")
    assert "python -m tfreid.evaluate" in page
    assert "dgd: identity" in page  # the chart of its only loss
    assert set(evaluation["attention"]["random_background"]["maps"]) == {"activation"}


def test_options_reach_the_protocol(dgd_run, reid_folder, tmp_path):
    done = run_command(
        "evaluate",
        f"--run={dgd_run}",
        f"--data={reid_folder.path}",
        f"--out={tmp_path / 'out'}",
        "--variants=original,mean_background",
        "--flip_averaging",
        "--camera_filter=off",
        "--average_precision=trapezoid",
        "--batch_size=5",
    )
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((tmp_path / "out" / "metrics.json").read_text())["evaluation"]
    assert "random_background" not in evaluation
    assert evaluation["protocol"] == {
        "image_size_px": [32, 16],
        "batch_size": 5,
        "flip_averaging": True,
        "camera_filter": False,
        "average_precision": "trapezoid",
        "seed": 0,
    }
    assert (tmp_path / "out" / "report" / "index.html").is_file()


def test_parsing_network_is_scored_by_pixel(parsing_run):
    done = run_command("evaluate", f"--run={parsing_run}", "--batch_size=4")
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((parsing_run / "metrics.json").read_text())["evaluation"]
    assert set(evaluation["classes"]) == {"background", "head", "upper-torso", "lower-torso"}
    assert {"accuracy", "precision", "recall", "f1", "iou"} < set(evaluation)
    assert "upper-torso" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data={parsing}"], "parsing records and reid records are expected"),
        (["--variants=night"], "'night' is not known"),
    ],
)
def test_misuse_is_explained(dgd_run, parsing_folder, arguments, message):
    filled = [argument.format(parsing=parsing_folder.path) for argument in arguments]
    done = run_command("evaluate", f"--run={dgd_run}", *filled)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
