"""What release 0.1.0 wrote still opens: records, recipes, a run to be continued, an export.

`release_0_1.tar.xz` holds a DGD run of two persons, stopped after 2 of 4 steps, what it was
trained on, its export after 4 steps, and in `expected.json` what that release made of them.
`recipes_0_1.json` holds all recipes as that release wrote them.
"""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.commands import run_command
from tests.methods.harness import info
from tfreid.methods import METHODS
from tfreid.methods.fields import leaves
from tfreid.methods.recipe import as_begun, from_json, to_json
from tfreid.records import Records
from tfreid.training import Run

HERE = Path(__file__).parent
RECIPES = json.loads((HERE / "recipes_0_1.json").read_text())
CHANGED = {"spreid": ("image_size_px", "backbone_size_px")}
"""Method -> the fields whose default is another since; what a file says of them stays."""
SMALL = (
    "--recipe.width=0.02",
    "--recipe.descriptor_size=4",
    "--recipe.image_size_px=(32,16)",
    "--recipe.schedule.steps=4",
    "--recipe.batch_size=4",
)


@pytest.fixture
def release(tmp_path, monkeypatch) -> Path:
    with tarfile.open(HERE / "release_0_1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def expected(release) -> dict:
    return json.loads((release / "expected.json").read_text())


def images_of(release: Path, split: str) -> list[bytes]:
    from tfrecords_schema import schema

    store = Records(release / "records").store(split)
    return [schema.decode("reid", r)["image/encoded"] for r in store.read(np.arange(len(store)))]


@pytest.mark.parametrize("method", RECIPES)
def test_recipes_are_what_they_were(method):
    """The recipes of today go on from those of then by their fields of then alone."""
    for former in RECIPES[method]:
        now = METHODS[method].base_recipe(former["scale"], former["given"])
        then = from_json(METHODS[method].recipe, former["recipe"])
        kept = {name: getattr(then, name) for name in CHANGED.get(method, ())}
        assert as_begun(replace(now, **kept), former["recipe"])[0] == then
        forms = {value for name, value in leaves(then) if name.endswith("sgd_form")}
        assert forms <= {"pytorch"}


def test_runs_of_spreid_keep_the_sizes_with_which_they_were_trained():
    (paper, *_) = RECIPES["spreid"]
    read = from_json(METHODS["spreid"].recipe, paper["recipe"])
    assert METHODS["spreid"].stages(read)[-1].inputs.image_size_px == (512, 170)
    assert METHODS["spreid"].build(read, info()).backbone_size_px is None


@pytest.mark.parametrize("method", RECIPES)
def test_recipes_survive_json(method):
    for former in RECIPES[method]:
        recipe = from_json(METHODS[method].recipe, former["recipe"])
        assert from_json(METHODS[method].recipe, to_json(recipe)) == recipe


def test_records_open(release, expected):
    records = Records(release / "records")
    assert records.info.fingerprint == expected["fingerprint"]
    assert len(images_of(release, "gallery")) == 2


def test_an_export_still_describes(release, expected):
    from tfreid.serving import ServedModel

    found = ServedModel(release / "export/1").embed_files(images_of(release, "gallery"))
    np.testing.assert_allclose(found, expected["gallery_descriptors"], atol=1e-4)


def test_an_export_is_served_within_todays_limits(release, expected):
    from tests.serving.colour_model import png_header
    from tfreid.serving import RefusedImagesError, ReidClient
    from tfreid.serving.server import LocalServer

    images = images_of(release, "gallery")
    with LocalServer("export") as server, ReidClient(server.address) as client:
        found = client.embed(images)
        with pytest.raises(RefusedImagesError, match="expected at most 50 million"):
            client.embed([*images, png_header(9000, 9000)])
    np.testing.assert_allclose(found, expected["gallery_descriptors"], atol=1e-4)


def test_a_run_is_continued_evaluated_and_exported(release, expected):
    trained = run_command(
        "train", "--method=dgd", "--data=records", "--out=run", "--seed=3", *SMALL
    )
    assert trained.returncode == 0, trained.stderr
    assert "4/4 steps" in trained.stderr
    assert "run was begun before its recipe had these fields; it keeps " in trained.stdout
    assert "sgd_form=pytorch" in trained.stdout
    assert Run("run").is_finished
    again = run_command("evaluate", "--run=run", "--variants=original")
    assert again.returncode == 0, again.stderr
    figures = Run("run").metrics["evaluation"]["original"]
    assert figures == pytest.approx(expected["original"])

    from tfreid.serving import ServedModel

    found = ServedModel("run/export/1").embed_files(images_of(release, "gallery"))
    np.testing.assert_allclose(found, expected["gallery_descriptors"], atol=1e-3)
