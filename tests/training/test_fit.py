"""`fit` and `Run`: a method on converted records, with the folder of its run."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import toy

from tests.edited_json import edited
from tfreid import training
from tfreid.errors import DataError, UsageError
from tfreid.inputs import InputSpec, RandomBackground, evaluation_batches
from tfreid.methods import METHODS, Method
from tfreid.records import Records
from tfreid.training.strategy import is_chief, make_strategy


@dataclasses.dataclass(frozen=True)
class ToyRecipe:
    steps: int = 2
    data: str = "reid"


def stages(recipe):
    def losses(outputs, batch):
        labels = batch["label"] % toy.PERSONS
        return toy.cross_entropy("first")(outputs, {"label": labels})

    stage = toy.stages(recipe.steps)[0]
    return (dataclasses.replace(stage, losses=losses, data=recipe.data),)


@pytest.fixture
def method(monkeypatch):
    method = Method("toy", ToyRecipe, ToyRecipe, lambda recipe, info: toy.Toy(), stages)
    monkeypatch.setitem(METHODS, "toy", method)
    return method


@pytest.mark.parametrize("precision", training.PRECISIONS)
def test_a_run_is_trained_and_loaded(method, reid_folder, tmp_path, precision):
    data = {"reid": reid_folder}
    run = training.fit(method, ToyRecipe(), data, tmp_path, seed=1, precision=precision)
    loaded = training.Run(tmp_path)
    assert (loaded.method, loaded.recipe, loaded.info) == (method, ToyRecipe(), reid_folder.info)
    for wanted, found in zip(run.model.weights, loaded.model.weights, strict=True):
        assert found.dtype == "float32"
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert loaded.model.conv.compute_dtype == precision.removeprefix("mixed_")
    assert keras.config.dtype_policy().name == "float32"


def test_a_run_ends_finished(method, reid_folder, tmp_path):
    run = training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    assert run.is_finished
    assert training.Run(tmp_path).is_finished
    assert (run.path, run.method, run.recipe) == (tmp_path, method, ToyRecipe())


def test_a_run_is_exported_once_and_before_it_counts_as_finished(method, reid_folder, tmp_path):
    exported = []

    def export(run):
        exported.append((run.is_finished, run.model))

    runs = [
        training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path, export=export)
        for _ in range(2)
    ]
    assert len(exported) == 1
    assert exported[0][0] is False
    assert exported[0][1] is runs[0].model


def test_a_run_whose_export_fails_is_not_finished(method, reid_folder, tmp_path):
    def fail(run):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path, export=fail)
    assert not training.Run(tmp_path).is_finished
    exported = []
    run = training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path, export=exported.append)
    assert run.is_finished
    assert exported == [run]


def test_a_method_of_ones_own_is_trained_and_loaded(method, reid_folder, tmp_path):
    mine = dataclasses.replace(method, name="mine")
    run = training.fit(mine, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    loaded = training.Run(tmp_path, method=mine)
    assert (loaded.method, loaded.recipe) == (mine, ToyRecipe())
    for wanted, found in zip(run.model.weights, loaded.model.weights, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    with pytest.raises(DataError, match=r"'mine', which is not one of .*: give it"):
        _ = training.Run(tmp_path).model
    with pytest.raises(DataError, match="with the method 'mine', and 'toy' was given"):
        _ = training.Run(tmp_path, method=method).model
    assert training.fit(mine, ToyRecipe(), {"reid": reid_folder}, tmp_path).is_finished


def test_a_run_continues_though_its_recipe_has_a_new_field(method, reid_folder, tmp_path):
    training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    with edited(tmp_path / "recipe.json") as values:
        del values["recipe"]["data"]
    assert training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path).is_finished
    with pytest.raises(UsageError, match=r"recipe\.steps: 2 there, 3 now\)"):
        training.fit(method, ToyRecipe(steps=3), {"reid": reid_folder}, tmp_path)


def test_tensorboard_gets_maps_of_some_test_images(method, reid_folder, tmp_path):
    options = training.WatchOptions(pictures_every_steps=2)
    training.fit(method, ToyRecipe(steps=3), {"reid": reid_folder}, tmp_path, options=options)
    (file,) = (tmp_path / "events").iterdir()
    pictures = [
        (value.tag, event.step, tf.make_ndarray(value.tensor)[2:])
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
        if value.tag.startswith("test/")
    ]
    assert [(tag, step) for tag, step, _ in pictures] == [
        ("test/images", 0),
        ("test/gate", 1),
        ("test/gate", 3),
    ]
    assert {len(images) for _, _, images in pictures} == {8}
    # Of the 12 queries the first, the last and, evenly spread, six between.
    spec = InputSpec(image_size_px=(toy.HEIGHT, toy.WIDTH))
    (batch,) = evaluation_batches(reid_folder, "query", spec, 12, 0)
    shown = np.stack([tf.io.decode_png(image).numpy() for image in pictures[0][2]])
    wanted = batch["image"].numpy()[[0, 1, 3, 4, 6, 7, 9, 11]].astype(np.uint8)
    np.testing.assert_array_equal(shown, wanted)


def test_an_unfinished_run_is_loaded_with_a_warning(method, reid_folder, tmp_path, capsys):
    training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    with edited(tmp_path / "recipe.json") as values:
        values["recipe"]["steps"] = 9
    (tmp_path / "metrics.json").unlink()
    _ = training.Run(tmp_path).model
    assert "not finished: these are the weights of step 2 of 9" in capsys.readouterr().err


def test_weights_of_another_model_are_listed(method, reid_folder, tmp_path, monkeypatch):
    training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    monkeypatch.setattr(toy, "PERSONS", 7)
    with pytest.raises(DataError, match=r"4 do not match:\n.*expected \(4, 7\), found \(4, 5\)"):
        _ = training.Run(tmp_path).model


def test_a_run_without_a_checkpoint_is_named(method, reid_folder, tmp_path):
    training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(DataError, match="holds no checkpoint"):
        _ = training.Run(tmp_path).model


def test_missing_and_mistaken_data_are_explained(method, reid_folder, parsing_folder, tmp_path):
    with pytest.raises(UsageError, match="stage 'main' of toy trains on parsing records"):
        training.fit(method, ToyRecipe(data="parsing"), {"reid": reid_folder}, tmp_path)
    with pytest.raises(UsageError, match=r"holds parsing records, and reid records .*parsing_data"):
        training.fit(method, ToyRecipe(), {"reid": parsing_folder}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_parsing_stage_learns_from_any_images_with_masks(method, reid_folder, tmp_path):
    recipe = ToyRecipe(data="parsing")
    run = training.fit(method, recipe, {"parsing": reid_folder}, tmp_path / "run")
    assert run.is_finished
    assert training.Run(tmp_path / "run").open_data("parsing").path == reid_folder.path
    plain = tmp_path / "plain"
    shutil.copytree(reid_folder.path, plain)
    description = json.loads((plain / "dataset.json").read_text())
    del description["checksum"]
    description["mask_vocabulary"] = ""
    (plain / "dataset.json").write_text(json.dumps(description))
    with pytest.raises(UsageError, match="holds reid records, and parsing records are expected"):
        training.fit(method, recipe, {"parsing": Records(plain)}, tmp_path / "other")


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (
            {"augmentation": (RandomBackground(0.5),)},
            "stage main: 2 of 48 images have no mask and keep their background\n",
        ),
        (
            {"mask_vocabulary": "binary", "augmentation": (RandomBackground(0.5),)},
            "stage main: 2 of 48 images have no mask and are left out, as "
            "mask_vocabulary='binary' needs one for each\n",
        ),
        ({}, ""),
    ],
)
def test_images_without_mask_are_counted(
    method, reid_folder, tmp_path, monkeypatch, capsys, inputs, text
):
    monkeypatch.setattr(Records, "masked", lambda folder, split: np.arange(48) > 1)

    def with_inputs(recipe):
        (stage,) = stages(recipe)
        return (dataclasses.replace(stage, inputs=dataclasses.replace(stage.inputs, **inputs)),)

    method = dataclasses.replace(method, stages=with_inputs)
    training.fit(method, ToyRecipe(), {"reid": reid_folder}, tmp_path)
    printed = capsys.readouterr().out
    assert text in printed
    assert ("no mask" in printed) == bool(text)


def test_the_cpu_needs_no_mirrors():
    if not tf.config.list_physical_devices("GPU"):
        assert make_strategy() is tf.distribute.get_strategy()


@pytest.mark.parametrize(
    ("jobs", "task", "index", "chief"),
    [
        (["worker"], "worker", 0, True),
        (["worker"], "worker", 1, False),
        (["chief", "worker"], "chief", 0, True),
        (["chief", "worker"], "worker", 0, False),
    ],
)
def test_the_first_worker_or_the_chief_writes(monkeypatch, jobs, task, index, chief):
    cluster = {job: [f"{job}0:1", f"{job}1:1"] for job in jobs}
    config = {"cluster": cluster, "task": {"type": task, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert is_chief() is chief


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ("worker one of two", "it is no JSON"),
        ("{}", "it does not say which task of which cluster this process is"),
        ('{"cluster": {"worker": ["a:1"]}}', "it does not say which task"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            "this task's index is 2, and those of its workers are 0 to 1",
        ),
        (
            '{"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
            "There must be at most one 'chief' job",
        ),
    ],
)
def test_a_wrong_cluster_is_explained(monkeypatch, config, fault):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UsageError, match=f"TF_CONFIG does not describe a cluster: {fault}"):
        make_strategy()
