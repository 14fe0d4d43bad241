"""The demo command from drawing to page, with fewer persons and one update a stage."""

import json

from tests.commands import Command
from tfreid.inputs import VARIANTS

SMALL = {
    "tfreid.synthesize": [
        "--persons=1", "--cameras=2", "--lip_images=2", "--backgrounds=1", "--occluded_persons=0",
        "--workers=1",
    ],
    "tfreid.train": ["--recipe.width=0.05", "--recipe.batch_size=4", "--noexport"],
    "--method=dgd": ["--recipe.schedule.steps=1", "--recipe.image_size_px=(32,16)"],
    "--method=pgp": ["--recipe.branches=0", "--recipe.main.steps=1"],
}  # fmt: skip


def test_drawn_persons_become_two_audited_models_and_a_page(tmp_path):
    flags = (f"--out={tmp_path}", "--seed=3")
    environment = {"MORE_FLAGS": json.dumps(SMALL), "GRAPHS_AS_USERS_RUN": "1"}
    done = Command("tests.forked_commands", "tfreid.demo", *flags, **environment).finish()
    assert done.returncode == 0, done.stderr
    ran = [line.split() for line in done.stdout.splitlines() if line.startswith("$ python -m")]
    assert [line[3] for line in ran] == [
        "tfreid.synthesize", "tfreid.convert", "tfreid.convert", "tfreid.train", "tfreid.train",
    ]  # fmt: skip
    assert all("--seed=3" in line for line in ran if line[3] != "tfreid.convert")
    results = json.loads((tmp_path / "results.json").read_text())
    for method in ("dgd", "pgp"):
        assert set(results[method]) == set(VARIANTS)
        assert 0 <= results[method]["original"]["rank1"] <= 1
    page = tmp_path / "report" / "index.html"
    assert f"tfreid.demo --out={tmp_path} --seed=3" in page.read_text()
    assert "percent, on synthetic data; chance is" in done.stdout
    assert f"open  {page}" in done.stdout
