"""The demo's models and its table over seeds."""

import json

import numpy as np
import pytest
from scipy import stats

from tests.reproduction.papers import recipe_from_flags
from tfreid.errors import DataError
from tfreid.inputs import VARIANTS
from tfreid.methods import METHODS
from tfreid.reproduction.demonstration import CHANGES, MODELS, remarks
from tfreid.reproduction.demonstration_table import as_markdown, read


def recipe_of(model, tmp_path):
    arguments = model.training_arguments(tmp_path / "data", tmp_path / "runs", 7)
    flags = [argument for argument in arguments if argument.startswith("--recipe.")]
    return recipe_from_flags(model.method, "demo", flags)


def updates(model, recipe):
    stages = METHODS[model.method].stages(recipe)
    assert {stage.data for stage in stages} == {"reid"}
    return {stage.name: stage.steps for stage in stages}


def test_the_models_differ_in_what_is_compared_alone(tmp_path):
    recipes = {model.name: recipe_of(model, tmp_path) for model in MODELS}
    for name in ("DGD", "PGP"):
        plain, augmented = recipes[name], recipes[f"{name} augmented"]
        shares = [r.random_background_probability for r in (plain, augmented)]
        assert shares == [0.0, 0.5]
        assert plain.inputs().augmentation == augmented.inputs().augmentation[1:]
    totals = {
        sum(updates(m, recipes[m.name]).values()) * recipes[m.name].batch_size for m in MODELS
    }
    assert len(totals) == 1
    areas = [int(np.prod(recipes[name].image_size_px)) for name in ("DGD", "PGP")]
    paper = [int(np.prod(METHODS[name].recipe().image_size_px)) for name in ("dgd", "pgp")]
    assert areas[0] / areas[1] == paper[0] / paper[1]


def test_both_of_pgps_models_have_the_same_parser(tmp_path):
    for model in MODELS[2:]:
        recipe, arguments = recipe_of(model, tmp_path), model.training_arguments(*[tmp_path] * 2, 7)
        assert f"--init_from={tmp_path / 'parsing'}" in arguments
        assert not recipe.train_parser
        assert recipe.parsing == METHODS["parsing"].demo()


def test_each_schedule_keeps_its_decays(tmp_path):
    for model in MODELS:
        recipe, demo = recipe_of(model, tmp_path), METHODS[model.method].demo()
        for name in ("schedule",) if model.method == "dgd" else ("main", "guided", "joint"):
            ours, theirs = getattr(recipe, name), getattr(demo, name)
            assert ours.every_steps / ours.steps == theirs.every_steps / theirs.steps
            assert (ours.learning_rate, ours.decays) == (theirs.learning_rate, theirs.decays)


def test_every_change_is_between_two_models_and_their_sum_is_the_last():
    names = {model.name for model in MODELS}
    assert all({change.before, change.after} <= names for change in CHANGES)
    assert (CHANGES[-1].before, CHANGES[-1].after) == (MODELS[0].name, MODELS[-1].name)


def seed(number, step):
    models = {
        model.name: {
            "updates": {"main": 1_000, "joint": 200} if model.method == "pgp" else {"network": 1},
            "images_per_update": 32,
            "image_size_px": [72, 28],
            "parameters": 1_234,
            "variants": {
                variant: {"rank1": 0.5 + 0.1 * place + step * (place == 1), "mAP": 0.1}
                for variant in VARIANTS
            },
        }
        for place, model in enumerate(MODELS)
    }
    return {"seed": number, "models": models, "chance_rank1": 0.007}


def test_the_table_over_seeds():
    text = as_markdown([seed(number, step) for number, step in ((0, 0.0), (1, 0.02), (4, 0.04))])
    half = stats.t.ppf(0.975, 2) * 2 / np.sqrt(3)
    assert f"| DGD augmented | 62.0 ± {half:.1f} |" in text
    assert "| DGD | 50.0 |" in text
    assert f"DGD → DGD augmented | **+12.0 ± {half:.1f}** |" in text
    # What is the same in each seed has no interval.
    assert "guided pooling (PGP for DGD): DGD → PGP | +20.0 |" in text
    assert "Mean over seeds 0, 1, 4" in text
    assert all(line.count("|") == 6 for line in text.splitlines() if line.startswith("|"))
    assert "Seed 4, one run" in as_markdown([seed(4, 0.0)])


def test_a_change_that_cannot_be_told_from_none_is_not_bold():
    text = as_markdown([seed(0, -0.2), seed(1, 0.0), seed(2, 0.05)])
    line = next(line for line in text.splitlines() if "DGD → DGD augmented" in line)
    assert "*" not in line
    assert "+5.0 ±" in line


def test_seeds_of_other_settings_are_not_averaged():
    other = seed(1, 0.0)
    other["models"]["PGP"]["updates"]["main"] = 2
    with pytest.raises(DataError, match="seed 1 was trained with other settings than seed 0"):
        as_markdown([seed(0, 0.0), other])


@pytest.mark.parametrize("values", [{"dgd": {}, "pgp": {}}, [], {"models": {"DGD": {}}}])
def test_results_of_other_models_are_named(values, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(values))
    with pytest.raises(DataError, match="is not of these models"):
        read(path)


def test_remarks_name_what_differs():
    text = " ".join(remarks(seed(0, 0.0)["models"]))
    for expected in (
        "DGD 1 updates of 32",
        "PGP 1,200 updates of 32 images (main 1,000, joint 200)",
    ):
        assert expected in text
    assert "DGD 72x28 px, 1,234 parameters" in text
