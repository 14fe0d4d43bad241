"""SPReID by the commands: a parser, both phases after it, and evaluation."""

import json

import numpy as np
import pytest

from tests.commands import run_command
from tfreid.records.mask_maker import UNMASKED
from tfreid.training import Run

pytestmark = pytest.mark.slow

PARSER = {
    "architecture": "inception_v3",
    "width": "0.05",
    "image_size_px": "(96,80)",
    "batch_size": "4",
    "schedule.steps": "2",
}
SMALL = {
    "backbone": "resnet14",
    "shared_backbone": "true",
    "backbone_width": "0.05",
    "backbone_size_px": "(64,32)",
    "image_size_px": "(96,80)",
    "parsing.width": "0.05",
    "train_parser": "false",
    "batch_size": "4",
    "schedule.steps": "2",
}


def train(method, out, recipe, *arguments):
    fields = [f"--recipe.{name}={value}" for name, value in recipe.items()]
    flags = [f"--method={method}", "--scale=demo", f"--out={out}", *fields, *arguments]
    done = run_command("train", *flags)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def parser(parsing_folder, tmp_path_factory):
    """A run of SPReID's parsing network of two steps."""
    run = tmp_path_factory.mktemp("runs") / "parser"
    train("parsing", run, PARSER, f"--parsing_data={parsing_folder.path}")
    return run


def test_its_parser_parses_and_is_scored(parser, raw_data, tmp_path):
    recipe = json.loads((parser / "recipe.json").read_text())["recipe"]
    assert (recipe["vocabulary"], recipe["clip_norm"]) == ("lip20", 2.0)
    source = ("--dataset=market1501", f"--data_root={raw_data / 'market1501'}")
    parsed = run_command("parse", f"--run={parser}", *source, f"--out={tmp_path}")
    assert parsed.returncode == 0, parsed.stderr
    assert "--mask_vocabulary=lip20" in parsed.stdout
    # Two steps teach little: where it sees hardly a person, there is a reason instead of a mask.
    reasons = tmp_path / UNMASKED
    unmasked = reasons.read_text().splitlines() if reasons.exists() else []
    assert len(list(tmp_path.rglob("*.png"))) + len(unmasked) == 86
    evaluated = run_command("evaluate", f"--run={parser}")
    assert evaluated.returncode == 0, evaluated.stderr
    assert "background alone: overall accuracy" in evaluated.stdout
    scores = json.loads((parser / "metrics.json").read_text())["evaluation"]
    assert len(scores["classes"]) == 20
    assert 0 <= scores["iou"] <= scores["recall"] <= 1


def test_both_phases_after_a_parser(reid_folder, parser, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    data = f"--data={reid_folder.path}"
    said = train("spreid", first, SMALL, data, f"--init_from={parser}", "--noexport")
    assert "\n  parser: loaded\n  classifier: starts anew" in said
    larger = SMALL | {"phase": "2", "backbone_size_px": "(96,48)"}
    said = train("spreid", second, larger, data, f"--init_from={first}", "--noexport")
    assert "\n  shared_backbone: loaded\n  parser: loaded\n" in said

    parsers = [Run(run).model.parts["parser"].get_weights() for run in (parser, first, second)]
    for one, two, three in zip(*parsers, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)

    evaluated = run_command("evaluate", f"--run={second}", "--variants=original")
    assert evaluated.returncode == 0, evaluated.stderr
    assert (second / "report/index.html").exists()
