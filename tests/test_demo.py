"""The demo command from drawing to page, with fewer persons and one update a stage."""

import json

import pytest

from tests.commands import Command, run_command
from tfreid.inputs import VARIANTS
from tfreid.reproduction.demonstration import CHANGES, MODELS

SMALL = {
    "tfreid.synthesize": [
        "--persons=1", "--cameras=2", "--lip_images=2", "--backgrounds=1", "--occluded_persons=0",
        "--workers=1",
    ],
    "tfreid.train": ["--recipe.width=0.05", "--recipe.batch_size=4", "--noexport"],
    "--method=parsing": ["--recipe.schedule.steps=1", "--recipe.image_size_px=(32,32)"],
    "--method=dgd": ["--recipe.schedule.steps=1", "--recipe.image_size_px=(32,16)"],
    "--method=pgp": [
        "--recipe.branches=1", "--recipe.main.steps=1", "--recipe.guided.steps=0",
        "--recipe.joint.steps=0", "--recipe.image_size_px=(32,32)",
        "--recipe.parsing.image_size_px=(32,32)", "--recipe.parsing.width=0.05",
    ],
}  # fmt: skip


def test_drawn_persons_become_four_audited_models_and_a_page(tmp_path):
    flags = (f"--out={tmp_path}", "--seeds=3")
    more = json.dumps(SMALL)
    done = Command("tests.forked_commands", "tfreid.demo", *flags, MORE_FLAGS=more).finish()
    assert done.returncode == 0, done.stderr
    ran = [line.split() for line in done.stdout.splitlines() if line.startswith("$ python -m")]
    assert [line[3] for line in ran] == [
        "tfreid.synthesize", *["tfreid.convert"] * 2, *["tfreid.train"] * 5,
    ]  # fmt: skip
    assert all("--seed=3" in line for line in ran if line[3] != "tfreid.convert")
    assert sum("--noexport" in line for line in ran) == 3
    out = tmp_path / "seed3"
    results = json.loads((out / "results.json").read_text())
    assert list(results["models"]) == [model.name for model in MODELS]
    augmented = [m["random_background_probability"] for m in results["models"].values()]
    assert augmented == [0.0, 0.5, 0.0, 0.5]
    for model in results["models"].values():
        assert set(model["variants"]) == set(VARIANTS)
        assert 0 <= model["variants"]["original"]["rank1"] <= 1
    for change, gain in zip(CHANGES, results["gains"], strict=True):
        before, after = (
            results["models"][name]["variants"]["random_background"]["mAP"]
            for name in (change.before, change.after)
        )
        found = gain["variants"]["random_background"]["mAP"]["value"]
        assert found == pytest.approx(after - before)
    page = (out / "report" / "index.html").read_text()
    assert f"tfreid.demo --out={out} --seed=3" in page
    assert "What is due to what" in page
    assert "percent, on synthetic data; chance is" in done.stdout
    assert f"open  {out / 'report' / 'index.html'}" in done.stdout
    assert (tmp_path / "table.md").read_text() in done.stdout
    again = run_command("demo", *flags)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith(f"done before: {out / 'results.json'}\n")


def test_one_seed_or_several():
    done = run_command("demo", "--seed=1", "--seeds=1,2")
    assert done.returncode == 2
    assert "--seed and --seeds are given: leave one of them out" in done.stderr
