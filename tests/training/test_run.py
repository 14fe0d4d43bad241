"""What the folder of a run accepts, refuses and remembers."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.edited_json import edited
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.methods import METHODS, Method
from tfreid.training import Run
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.description import run_description


@dataclass(frozen=True)
class Recipe:
    batch_size: int = 64
    size_px: tuple[int, int] = (8, 4)


METHOD = Method("toy", Recipe, Recipe, build=None, stages=None)


def records(fingerprint="abc", path="data"):
    return SimpleNamespace(path=Path(path), info=SimpleNamespace(fingerprint=fingerprint))


def description(**changes):
    settings = {
        "method": "toy",
        "recipe": Recipe(),
        "seed": 0,
        "arithmetic": Arithmetic(),
        "data": {"reid": records()},
    }
    return run_description(**(settings | changes))


def of(*settings, **named):
    return {"arithmetic": Arithmetic(*settings, **named)}


def save_checkpoint(run):
    (run / "checkpoints").mkdir()
    (run / "checkpoints/checkpoint").touch()


def test_recipe_json_says_what_the_run_is(tmp_path):
    with Run(tmp_path / "run").claim(description()):
        pass
    values = json.loads((tmp_path / "run/recipe.json").read_text())
    assert values["recipe"] == {"batch_size": 64, "size_px": [8, 4]}
    assert values["data"]["reid"]["fingerprint"] == "abc"
    assert {"tfreid", "tensorflow", "keras", "python"} <= values["versions"].keys()
    del values["checksum"]
    assert Run(tmp_path / "run").description == values


def test_the_same_run_may_come_back_with_its_data_elsewhere(tmp_path):
    with Run(tmp_path).claim(description(data={"reid": records(path="here")})):
        save_checkpoint(tmp_path)
    with Run(tmp_path).claim(description(data={"reid": records(path="there")})):
        pass
    first = json.loads((tmp_path / "recipe.json").read_text())
    assert first["data"]["reid"]["path"].endswith("here")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"recipe": replace(Recipe(), batch_size=32)}, "recipe.batch_size: 64 there, 32 now"),
        ({"method": "other"}, "method: toy there, other now"),
        ({"seed": 1}, "seed: 0 there, 1 now"),
        (of("mixed_bfloat16"), "precision: float32 there, mixed_bfloat16 now"),
        (of(accumulate_steps=2), "accumulate_steps: 1 there, 2 now"),
        (of(deterministic=False), "deterministic: True there, False now"),
        ({"data": {"reid": records("xyz")}}, "data.reid: abc there, xyz now"),
    ],
)
@pytest.mark.parametrize("method", [None, METHOD])
def test_another_run_is_refused_by_what_differs(tmp_path, changes, text, method):
    with Run(tmp_path).claim(description()):
        save_checkpoint(tmp_path)
    run = Run(tmp_path, method)
    with pytest.raises(UsageError, match=text), run.claim(description(**changes)):
        pass


def test_a_field_that_the_recipe_did_not_have_yet_has_its_default(tmp_path):
    with Run(tmp_path).claim(description()):
        save_checkpoint(tmp_path)
    with edited(tmp_path / "recipe.json") as values:
        del values["recipe"]["batch_size"]
    run = Run(tmp_path, METHOD)
    assert run.recipe == Recipe()
    with run.claim(description()):
        pass
    other = replace(Recipe(), batch_size=32)
    text = "recipe.batch_size: 64 there, 32 now"
    with pytest.raises(UsageError, match=text), run.claim(description(recipe=other)):
        pass


def test_arithmetic_that_was_not_written_yet_is_the_default(tmp_path):
    with Run(tmp_path).claim(description()):
        save_checkpoint(tmp_path)
    with edited(tmp_path / "recipe.json") as values:
        del values["accumulate_steps"], values["deterministic"]
    with Run(tmp_path).claim(description()):
        pass
    other = description(**of(accumulate_steps=2))
    text = "accumulate_steps: 1 there, 2 now"
    with pytest.raises(UsageError, match=text), Run(tmp_path).claim(other):
        pass


def test_a_run_of_former_fields_goes_on(tmp_path):
    recipe = METHODS["fpr"].demo()
    with Run(tmp_path).claim(description(method="fpr", recipe=recipe)):
        save_checkpoint(tmp_path)
    with edited(tmp_path / "recipe.json") as values:
        del values["recipe"]["backbone"]
        values["recipe"]["backbone_depth"] = 14
    assert Run(tmp_path).recipe == recipe
    with Run(tmp_path).claim(description(method="fpr", recipe=recipe)):
        pass
    other = replace(recipe, backbone="resnet26")
    with (
        pytest.raises(UsageError, match=r"recipe\.backbone: resnet14 there, resnet26 now"),
        Run(tmp_path).claim(description(method="fpr", recipe=other)),
    ):
        pass


def test_a_run_that_saved_nothing_may_be_given_other_settings(tmp_path):
    for seed in (0, 1):
        with Run(tmp_path).claim(description(seed=seed)):
            pass
    assert json.loads((tmp_path / "recipe.json").read_text())["seed"] == 1


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match="not empty"), Run(tmp_path).claim(description()):
        pass
    assert not (tmp_path / "recipe.json").exists()


def test_two_processes_do_not_share_a_folder(tmp_path):
    run = Run(tmp_path)
    with (
        run.claim(description()),
        pytest.raises(UsageError, match="another process"),
        run.claim(description()),
    ):
        pass


def test_metrics_are_kept_by_section(tmp_path):
    run = Run(tmp_path)
    assert run.metrics == {}
    assert not run.is_finished
    run.add_metrics(evaluation={"rank1": 0.5})
    run.add_metrics(finished=True)
    assert run.metrics == {"evaluation": {"rank1": 0.5}, "finished": True}
    assert run.is_finished


def test_files_are_what_the_run_has_written(tmp_path):
    run = Run(tmp_path)
    with run.claim(description()):
        run.add_metrics(finished=True)
        assert [path.name for path in run.files()] == ["metrics.json", "recipe.json"]


def test_what_it_starts_from_is_in_the_recipe(tmp_path):
    run = Run(tmp_path)
    assert run.init_from() == {}
    with run.claim(description()):
        assert run.init_from() == {}
        run.write_init_from({"path": "other"})
    assert Run(tmp_path).init_from() == {"path": "other"}
    assert run.description["seed"] == 0


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(MissingPathError, match="holds no run"):
        _ = Run(tmp_path).description


@pytest.mark.parametrize("text", ["{", "{}", "[]", "3", "null", '"recipe"'])
def test_a_damaged_recipe_is_named(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(DataError, match=r"recipe\.json"):
        _ = Run(tmp_path).description


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": "0"}, "seed: expected int, found '0'"),
        ({"seed": -1}, "seed=-1: expected 0 or more"),
        ({"precision": "float8"}, "precision='float8' is not known"),
        ({"recipe": []}, r"recipe: expected dict.* found \[\]"),
        ({"data": {"reid": "data"}}, "data.reid: expected DataFacts, found 'data'"),
        ({"init_from": {"digest": 3}}, "init_from"),
        ({"more": 1}, "unknown field 'more'"),
    ],
)
def test_a_recipe_that_cannot_be_is_named(tmp_path, changes, text):
    with Run(tmp_path).claim(description()):
        pass
    with edited(tmp_path / "recipe.json") as values:
        values |= changes
    with pytest.raises(DataError, match=rf"recipe\.json is not the recipe of a run \(.*{text}"):
        _ = Run(tmp_path).description


@pytest.mark.parametrize("values", [{"batch_size": "64"}, {"batch": 64}, {"size_px": [8]}])
def test_a_setting_that_cannot_be_is_of_the_file(tmp_path, values):
    with Run(tmp_path).claim(description()):
        pass
    with edited(tmp_path / "recipe.json") as found:
        found["recipe"] = values
    with pytest.raises(DataError, match=r"recipe\.json: recipe"):
        _ = Run(tmp_path, METHOD).recipe


@pytest.mark.parametrize(
    "text", ["[]", "3", '{"finished": "no"}', '{"stopped_early": []}', '{"evaluation": 1}']
)
def test_metrics_of_another_kind_are_named(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(DataError, match=r"metrics\.json is damaged: "):
        _ = Run(tmp_path).is_finished


def test_a_changed_figure_is_not_another_result(tmp_path):
    run = Run(tmp_path)
    run.add_metrics(evaluation={"original": {"rank1": 0.25}}, finished=True)
    path = tmp_path / "metrics.json"
    path.write_text(path.read_text().replace("0.25", "0.75"))
    with pytest.raises(DataError, match=r"metrics\.json is damaged: its contents are not those"):
        _ = run.metrics


# ---- Its method.


def test_a_method_of_the_table_is_known_by_its_name(tmp_path):
    method = METHODS["dgd"]
    recipe = replace(method.demo(), batch_size=5)
    with Run(tmp_path).claim(description(method="dgd", recipe=recipe)):
        pass
    run = Run(tmp_path)
    assert (run.method, run.recipe) == (method, recipe)
    assert run.stage.batch_size == 5


def test_a_method_of_ones_own_must_be_given(tmp_path):
    with Run(tmp_path).claim(description()):
        pass
    assert Run(tmp_path, METHOD).method is METHOD
    with pytest.raises(DataError, match=r"the method 'toy', .* give it, as Run\(path, method="):
        _ = Run(tmp_path).method


def test_another_method_than_the_runs_is_refused(tmp_path):
    with Run(tmp_path).claim(description()):
        pass
    with pytest.raises(DataError, match="with the method 'toy', and 'dgd' was given"):
        _ = Run(tmp_path, METHODS["dgd"]).recipe
