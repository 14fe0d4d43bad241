"""The whole pipeline on tiny data: run, run again, run with new data that give a bad model."""

import json
import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("tfx")
import tensorflow as tf
from runs import TINY, market, run

from pipeline.history import latest_run

LENIENT = ("--min_rank1=0", "--min_mAP=0", "--max_regression=1", "--max_background_loss=1")
SIZE = "--recipe.image_size_px=(32,16)"


@pytest.fixture(scope="module")
def world(raw_data, tmp_path_factory) -> Path:
    """A folder with a copy of the tiny data, `raw`, that a test may change."""
    folder = tmp_path_factory.mktemp("pipeline")
    shutil.copytree(raw_data, folder / "raw", copy_function=shutil.copy2)
    return folder


@pytest.fixture(scope="module")
def train(world):
    """Runs the pipeline; returns the process and what ML Metadata says of each component."""

    def train(*arguments):
        result = run(
            "run_local",
            *(*TINY, SIZE, *market(world / "raw"), f"--root={world / 'out'}"),
            *("--recipe.schedule.steps=2", *arguments),
        )
        assert "Traceback" not in result.stderr
        nodes = latest_run(str(world / "out" / "metadata.sqlite"))
        return result, {node.component: node for node in nodes}

    return train


@pytest.fixture(scope="module")
def first(train):
    return train(*LENIENT)


def versions(world):
    return sorted(path.name for path in (world / "out" / "serving_model").iterdir())


def evaluations(world):
    """Their folders, the oldest first."""
    folder = world / "out" / "artifacts" / "RetrievalEvaluator" / "evaluation"
    return sorted(folder.iterdir(), key=lambda path: int(path.name))


def test_images_become_a_pushed_model(first, world):
    result, nodes = first
    assert result.returncode == 0, result.stderr
    assert {node.state for node in nodes.values()} == {"COMPLETE"}
    (version,) = versions(world)
    pushed = nodes["Pusher"].outputs["PushedModel"]
    assert pushed["pushed_destination"] == str(world / "out" / "serving_model" / version)
    assert f"pushed to {pushed['pushed_destination']}" in result.stdout
    model = tf.saved_model.load(pushed["pushed_destination"])
    assert set(model.signatures) == {"serving_default", "embed_images", "explain"}
    warmup = Path(pushed["pushed_destination"]) / "assets.extra" / "tf_serving_warmup_requests"
    assert warmup.stat().st_size > 0


@pytest.mark.slow
def test_the_same_again_is_answered_from_cache(first, train, world):
    before = versions(world)
    result, nodes = train(*LENIENT)
    assert result.returncode == 0, result.stderr
    executed = {name for name, node in nodes.items() if node.state != "CACHED"}
    assert executed == {"ServedModel"}  # It only looks the model up.
    assert "9 of 10 components were answered from earlier runs" in result.stdout
    assert f"pushed earlier: {world / 'out' / 'serving_model' / before[-1]}\n" in result.stdout
    assert versions(world) == before


@pytest.mark.slow
def test_changed_data_train_anew_and_a_bad_model_is_not_pushed(first, train, world):
    """It is compared with the served model, and the metadata say what it lacks."""
    before = versions(world)
    image = next((world / "raw" / "market1501" / "bounding_box_train").iterdir())
    image.unlink()
    result, nodes = train("--min_rank1=1", *LENIENT[1:])
    assert result.returncode == 0, result.stderr
    assert nodes["ImageExampleGen-reid"].state == "COMPLETE"
    assert nodes["ReidTrainer"].state == "COMPLETE"
    passed = json.loads((evaluations(world)[-1] / "decision.json").read_text())["passed"]
    assert any("the served model has" in text for text in passed)
    blessing = nodes["RetrievalEvaluator"].outputs["ModelBlessing"]
    assert blessing["blessed"] == 0
    assert "expected at least 100.0%" in blessing["blessing_message"]
    assert nodes["Pusher"].outputs["PushedModel"]["pushed"] == 0
    assert "not blessed: rank1" in result.stdout
    assert "not pushed, as it is not blessed: " in result.stdout
    assert "the model: rank-1 " in result.stdout
    assert "the served model, on the same images: rank-1 " in result.stdout
    assert f"report: {evaluations(world)[-1] / 'report' / 'index.html'}\n" in result.stdout
    assert versions(world) == before


@pytest.mark.slow
def test_anomalies_stop_the_run_before_training(first, train, world):
    schema = Path(__file__).parents[2] / "tfrecords_schema" / "reid.pbtxt"
    strict = world / "strict.pbtxt"
    text = schema.read_text().replace(
        'name: "image/height" type: INT presence { min_fraction: 1 } shape {} '
        "int_domain { min: 1 }",
        'name: "image/height" type: INT presence { min_fraction: 1 } shape {} '
        "int_domain { min: 1000 }",
    )
    assert "min: 1000" in text
    strict.write_text(text)
    result, nodes = train(*LENIENT, f"--schema={strict}")
    assert result.returncode == 1
    assert "error: the records do not follow the schema" in result.stderr
    assert "train: image/height" in result.stderr
    assert nodes["StopOnAnomalies-reid"].state == "FAILED"
    assert "ReidTrainer" not in nodes


def test_evaluation_shows_variants_camera_pairs_and_a_page(first, world):
    evaluation = evaluations(world)[0]
    metrics = json.loads((evaluation / "metrics.json").read_text())["candidate"]
    assert {"original", "random_background", "camera_pairs"} <= set(metrics)
    assert (evaluation / "report" / "index.html").stat().st_size > 1000
    assert json.loads((evaluation / "decision.json").read_text())["blessed"] is True


def test_a_missing_folder_is_a_clear_error(tmp_path):
    result = run("run_local", *TINY, "--data_root=nowhere", f"--root={tmp_path / 'out'}")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert not os.path.exists(tmp_path / "out")


def test_images_without_a_test_are_refused_before_anything_is_run(raw_data, tmp_path):
    place = tmp_path / "people" / "train" / "ann"
    shutil.copytree(raw_data / "market1501" / "bounding_box_train", place)
    people, store = place.parents[1], ("--root=nowhere://bucket/reid", "--metadata=ml.sqlite")
    result = run("run_local", *TINY, f"--data_root={people}", *store)
    assert result.returncode == 2
    assert f"error: folder in {people} has no query and no gallery images" in result.stderr


def test_a_bucket_needs_a_place_for_metadata(raw_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("run_local", *TINY, *market(raw_data), "--root=gs://bucket/reid")
    assert result.returncode == 2
    assert result.stderr == (
        "error: --root=gs://bucket/reid: ML Metadata needs a file of this machine, such as "
        "--metadata=tfreid-dgd.sqlite: give that too\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_will_not_work_is_said_before_anything_is_run(raw_data, tmp_path):
    """That no model can be blessed, and that nobody knows where to write."""
    result = run(
        "run_local",
        *(*TINY, "--dataset=market1501", f"--data_root={raw_data / 'market1501'}"),
        *("--root=nowhere://bucket/reid", f"--metadata={tmp_path / 'ml.sqlite'}"),
    )
    assert result.returncode == 2
    assert "the model will be trained, and not blessed: no test person has masks" in result.stdout
    assert result.stderr.startswith("error: nowhere://bucket/reid cannot be used: File system")
    assert list(tmp_path.iterdir()) == []
