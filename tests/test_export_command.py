"""The export command, on runs of one step, and what training exports."""

import io
import json
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.commands import Command, run_command
from tests.edited_json import edited
from tfrecords_schema.schema import parse_spec
from tfreid.evaluation import Describer, Network
from tfreid.serving import ServedModel
from tfreid.training import Run


def versions(base):
    return sorted(path.name for path in base.iterdir() if path.name.isdecimal())


@pytest.mark.slow
def test_training_ends_with_an_export_of_the_final_weights(dgd_run):
    served = ServedModel(dgd_run / "export" / "1")
    model = Run(dgd_run).model
    image = np.random.default_rng(0).integers(0, 256, (32, 16, 3), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    expected = model.embed(image[None].astype("float32")).numpy()
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(served.embed_files([buffer.getvalue()]), expected, atol=1e-4)
    assert "needs at least 1,000 pairs" in served.facts["reason"]


def test_a_run_that_is_not_finished_is_exported_with_a_warning(dgd_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(dgd_run, run, ignore=shutil.ignore_patterns("export", "metrics.json"))
    with edited(run / "recipe.json") as values:
        values["recipe"]["schedule"]["steps"] = 2
    done = run_command("export", f"--run={run}")
    assert done.returncode == 0, done.stderr
    assert "is not finished: these are the weights of step 1 of 2" in done.stderr
    assert "needs at least 1,000 pairs" in done.stdout
    assert versions(run / "export") == ["1"]


@pytest.mark.slow
def test_a_killed_export_leaves_no_version_and_the_next_is_whole(dgd_run, reid_folder, tmp_path):
    (tmp_path / "4").mkdir()
    options = (f"--run={dgd_run}", f"--out={tmp_path}", f"--data={reid_folder.path}")
    process = Command("tfreid.export", *options)
    while not list(tmp_path.glob(".5.*.partial/output/saved_model.pb")):
        assert process.poll(0.01) is None
    process.send_signal(signal.SIGKILL)
    process.finish()
    assert versions(tmp_path) == ["4"]
    done = run_command("export", *options, "--far=0.05", "--flip_averaging")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4", "5"]
    facts = ServedModel(tmp_path / "5").facts
    assert (facts["flip_averaging"], facts["threshold"]["far"]) == (True, 0.05)
    assert f"same person: cosine distance <= {facts['threshold']['distance']:.4f}" in done.stdout
    assert done.stdout.splitlines()[-1] == f"wrote {tmp_path / '5'}"


@pytest.mark.slow
def test_several_runs_are_exported_as_one(dgd_run, larger_dgd_run, reid_folder, tmp_path):
    runs = (f"--run={dgd_run}", f"--run={larger_dgd_run}")
    done = run_command("export", *runs, f"--out={tmp_path}", "--far=0.05")
    assert done.returncode == 0, done.stderr
    served = ServedModel(tmp_path / "1")
    assert [(part["name"], part["method"]) for part in served.facts["combined"]] == [
        ("dgd", "dgd"),
        ("larger", "dgd"),
    ]
    assert served.facts["threshold"]["far"] == 0.05
    recipe = json.loads((tmp_path / "1" / "assets.extra" / "recipe.json").read_text())
    assert [run["recipe"]["image_size_px"] for run in recipe["runs"]] == [[32, 16], [48, 24]]

    # Files give the descriptors that evaluate compares.
    networks = [
        Network(str(run), Run(run).model, size)
        for run, size in ((dgd_run, (32, 16)), (larger_dgd_run, (48, 24)))
    ]
    compared = Describer(networks, 8).describe(reid_folder, "query").features / np.sqrt(2)
    store = reid_folder.store("query")
    parsed = tf.io.parse_example(store.read(np.arange(len(store))), parse_spec("reid"))
    files = parsed["image/encoded"].numpy().tolist()
    np.testing.assert_allclose(served.embed_files(files), compared, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--run={parsing}"], "gives no descriptor: there is nothing to export"),
        (["--run={dgd}", "--data={masks}"], "parsing records and reid records are expected"),
        (["--run={dgd}", "--run={parsing}"], "there is nothing to combine"),
        (["--run={dgd}", "--run={dgd}"], "is given twice"),
    ],
)
def test_misuse_is_explained(arguments, text, dgd_run, parsing_run, parsing_folder, tmp_path):
    paths = {"dgd": dgd_run, "parsing": parsing_run, "masks": parsing_folder.path}
    filled = [argument.format(**paths) for argument in arguments]
    done = run_command("export", *filled, f"--out={tmp_path / 'out'}")
    assert done.returncode == 2
    assert text in done.stderr
    assert not (tmp_path / "out").exists()
