"""What a run folder accepts, refuses and remembers."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.methods import METHODS
from tfreid.training.run_folder import RunFolder, describe


@dataclass(frozen=True)
class Recipe:
    batch_size: int = 64
    size_px: tuple[int, int] = (8, 4)


def folder(fingerprint="abc", path="data"):
    return SimpleNamespace(path=Path(path), info=SimpleNamespace(fingerprint=fingerprint))


def description(**changes):
    settings = {
        "method": "toy",
        "recipe": Recipe(),
        "seed": 0,
        "precision": "float32",
        "folders": {"reid": folder()},
    }
    return describe(**(settings | changes))


def save_checkpoint(run):
    (run / "checkpoints").mkdir()
    (run / "checkpoints/checkpoint").touch()


def test_recipe_json_says_what_the_run_is(tmp_path):
    with RunFolder(tmp_path / "run").claim(description()):
        pass
    values = json.loads((tmp_path / "run/recipe.json").read_text())
    assert values["recipe"] == {"batch_size": 64, "size_px": [8, 4]}
    assert values["data"]["reid"]["fingerprint"] == "abc"
    assert {"tfreid", "tensorflow", "keras", "python"} <= values["versions"].keys()


def test_the_same_run_may_come_back_with_its_data_elsewhere(tmp_path):
    with RunFolder(tmp_path).claim(description(folders={"reid": folder(path="here")})):
        save_checkpoint(tmp_path)
    with RunFolder(tmp_path).claim(description(folders={"reid": folder(path="there")})):
        pass
    first = json.loads((tmp_path / "recipe.json").read_text())
    assert first["data"]["reid"]["path"].endswith("here")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"recipe": replace(Recipe(), batch_size=32)}, "recipe.batch_size: 64 there, 32 now"),
        ({"method": "other"}, "method: toy there, other now"),
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"precision": "mixed_bfloat16"}, "precision: float32 there, mixed_bfloat16 now"),
        ({"folders": {"reid": folder("xyz")}}, "data.reid: abc there, xyz now"),
    ],
)
def test_another_run_is_refused_by_what_differs(tmp_path, changes, text):
    with RunFolder(tmp_path).claim(description()):
        save_checkpoint(tmp_path)
    with pytest.raises(UsageError, match=text), RunFolder(tmp_path).claim(description(**changes)):
        pass


def test_a_run_of_former_fields_goes_on(tmp_path):
    recipe = METHODS["fpr"].demo()
    with RunFolder(tmp_path).claim(description(method="fpr", recipe=recipe)):
        save_checkpoint(tmp_path)
    values = json.loads((tmp_path / "recipe.json").read_text())
    del values["recipe"]["backbone"]
    (tmp_path / "recipe.json").write_text(
        json.dumps(values | {"recipe": values["recipe"] | {"backbone_depth": 14}})
    )
    with RunFolder(tmp_path).claim(description(method="fpr", recipe=recipe)):
        pass
    assert RunFolder(tmp_path).read_recipe()["recipe"]["backbone"] == "resnet14"
    with (
        pytest.raises(UsageError, match=r"recipe\.backbone: resnet14 there, resnet26 now"),
        RunFolder(tmp_path).claim(
            description(method="fpr", recipe=replace(recipe, backbone="resnet26"))
        ),
    ):
        pass


def test_a_run_that_saved_nothing_may_be_given_other_settings(tmp_path):
    for seed in (0, 1):
        with RunFolder(tmp_path).claim(description(seed=seed)):
            pass
    assert json.loads((tmp_path / "recipe.json").read_text())["seed"] == 1


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match="not empty"), RunFolder(tmp_path).claim(description()):
        pass
    assert not (tmp_path / "recipe.json").exists()


def test_two_processes_do_not_share_a_folder(tmp_path):
    run = RunFolder(tmp_path)
    with (
        run.claim(description()),
        pytest.raises(UsageError, match="another process"),
        run.claim(description()),
    ):
        pass


def test_metrics_are_kept_by_section(tmp_path):
    run = RunFolder(tmp_path)
    assert run.metrics() == {}
    assert not run.is_finished()
    run.add_metrics(evaluation={"rank1": 0.5})
    run.add_metrics(finished=True)
    assert run.metrics() == {"evaluation": {"rank1": 0.5}, "finished": True}
    assert run.is_finished()


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(MissingPathError, match="holds no run"):
        RunFolder(tmp_path).read_recipe()


@pytest.mark.parametrize("text", ["{", "{}"])
def test_a_damaged_recipe_is_named(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(DataError, match=r"recipe\.json"):
        RunFolder(tmp_path).read_recipe()
