import json

import pytest

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.evaluation import average_runs

PROTOCOL = {
    "name": "random_half",
    "camera_filter": True,
    "gallery_draws": 100,
    "image_size_px": [32, 16],
    "batch_size": 64,
    "flip_averaging": False,
    "average_precision": "mean",
    "seed": 0,
}


def evaluation(rank1=0.5, index=0, dataset="viper", split_seed=0, protocol=None, data=None):
    split = {"index": index, "of": 10, "seed": split_seed, "test_persons": 316}
    return {
        "original": {"rank1": rank1, "rank5": rank1 + 0.25},
        "camera_pairs": {"1-2": {"rank1": 1.0, "queries": 3}},
        "chance_rank1": 0.1,
        "counts": {"queries": 316},
        "protocol": PROTOCOL | (protocol or {}),
        "data": {"dataset": dataset, "options": {}, "split": split, **(data or {})},
    }


TRAINED = {"seed": 0, "precision": "float32", "data": {}}


@pytest.fixture
def run(tmp_path):
    """Writes the folder of a run."""

    def write(name, values, recipe=None):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps({"evaluation": values, "finished": True}))
        if recipe:
            (folder / "recipe.json").write_text(json.dumps(recipe))
        return folder

    return write


def test_mean_and_sample_deviation_are_those_of_the_runs(run):
    rank1 = (0.25, 0.5, 0.3125)
    runs = [run(f"{i}", evaluation(value, i)) for i, value in enumerate(rank1)]
    average = average_runs(runs)["viper"]
    assert list(average.figures) == ["original"]
    spread = average.figures["original"]["rank1"]
    # The mean is 17/48; the squared deviations 25/2304, 49/2304 and 4/2304 add up to 78/2304.
    assert spread.mean == pytest.approx(17 / 48)
    assert spread.deviation == pytest.approx((78 / 2304 / 2) ** 0.5)
    assert spread.values == rank1
    assert average.figures["original"]["rank5"].mean == pytest.approx(17 / 48 + 0.25)
    assert average.splits == ((0, 0), (1, 0), (2, 0))
    assert average.warnings == ("3 of 10 splits: published figures are the mean over all 10",)


def test_all_splits_are_no_cause_to_warn(run):
    runs = [run(f"{index}", evaluation(index=index)) for index in range(10)]
    assert average_runs(runs)["viper"].warnings == ()


def test_repeated_splits_are_named(run):
    runs = [run(f"{i}", evaluation(index=index)) for i, index in enumerate((4, 1, 4))]
    assert average_runs(runs)["viper"].warnings == (
        "split 4 is there more than once: the mean leans towards it",
        "2 of 10 splits: published figures are the mean over all 10",
    )


def test_splits_of_another_seed_are_other_splits(run):
    runs = [run(f"{seed}", evaluation(split_seed=seed)) for seed in range(3)]
    assert average_runs(runs)["viper"].warnings == (
        "3 of 10 splits: published figures are the mean over all 10",
    )


def test_seeds_on_one_split_need_no_splits(run):
    recipe = TRAINED | {"method": "dgd", "recipe": {}}
    runs = [run(f"{i}", evaluation(data={"split": None}), recipe | {"seed": i}) for i in range(2)]
    average = average_runs(runs)["viper"]
    assert (average.splits, average.warnings) == ((None, None), ())


def test_data_sets_of_joint_sets_are_averaged_apart(run):
    runs = [
        run(
            f"{i}",
            {"datasets": {"a": evaluation(0.5, i, "a"), "b": evaluation(i / 4, i, "b")}},
        )
        for i in range(2)
    ]
    averages = average_runs(runs)
    assert averages["a"].figures["original"]["rank1"].deviation == 0
    assert averages["b"].figures["original"]["rank1"].values == (0.0, 0.25)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (evaluation(dataset="prid"), r"data sets is \['prid'\], not \['viper'\]"),
        (evaluation(protocol={"name": "market"}), "protocol is market, not random_half"),
        (evaluation(protocol={"average_precision": "trapezoid"}), "average_precision is trapezoid"),
        (evaluation(protocol={"flip_averaging": True}), "flip_averaging is True, not False"),
        (evaluation(data={"options": {"images": "labeled"}}), "options.images is labeled"),
        (evaluation(data={"split": None}), "number of splits is None, not 10"),
        (
            evaluation() | {"mean_background": {"rank1": 0.5}},
            r"variants is \['original', 'mean_background'\], not \['original'\]",
        ),
    ],
)
def test_runs_that_are_not_comparable_are_refused(run, other, reason):
    with pytest.raises(UsageError, match=f"b is not comparable with .*a: {reason}"):
        average_runs([run("a", evaluation()), run("b", other)])


def test_runs_of_other_recipes_are_refused(run):
    recipe = TRAINED | {"method": "dgd", "recipe": {"width": 1, "schedule": {"steps": 10}}}
    other = recipe | {"recipe": {"width": 1, "schedule": {"steps": 20}}, "seed": 1}
    runs = [run("a", evaluation(), recipe), run("b", evaluation(index=1), other)]
    with pytest.raises(UsageError, match=r"recipe.schedule.steps is 20, not 10$"):
        average_runs(runs)


def test_former_fields_of_a_recipe_make_no_other_recipe(run):
    recipes = [
        TRAINED | {"method": "fpr", "recipe": recipe}
        for recipe in ({"backbone_depth": 14}, {"backbone": "resnet14"})
    ]
    runs = [run(f"{i}", evaluation(index=i), recipe) for i, recipe in enumerate(recipes)]
    assert average_runs(runs)


def test_batch_size_and_seed_may_differ(run):
    other = evaluation(index=1, protocol={"batch_size": 5, "seed": 3})
    assert average_runs([run("a", evaluation()), run("b", other)])


def test_one_run_is_no_average(run):
    folder = run("a", evaluation())
    for runs in ([folder], [folder, folder.parent / "." / "a"]):
        with pytest.raises(UsageError, match="two different runs or more"):
            average_runs(runs)


def test_runs_that_were_not_measured_are_refused(run, tmp_path):
    measured, trained = run("a", evaluation()), run("b", None)
    with pytest.raises(MissingPathError, match=r"holds no evaluation.*tfreid.evaluate --run="):
        average_runs([measured, trained])
    with pytest.raises(MissingPathError, match=r"there is no .*nowhere"):
        average_runs([measured, tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="names no protocol"):
        average_runs([measured, run("c", {"accuracy": 0.5, "data": {"name": "lip"}})])
    (trained / "metrics.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        average_runs([measured, trained])


@pytest.mark.parametrize(
    "changes",
    [
        {"original": {"rank1": "high"}},
        {"original": {"rank1": float("nan")}},
        {"original": {"rank1": 0.5, "reranked": 3}},
        {"data": []},
        {"data": {"dataset": ["viper"], "options": {}, "split": None}},
        {"data": {"dataset": "viper", "options": {}, "split": {"index": 1}}},
        {"data": {"dataset": "viper", "options": {}, "split": 3}},
        {"protocol": 3},
        {"protocol": {}},
        {"matching": "pooled"},
        {"datasets": []},
        {"datasets": {"viper": 3}},
    ],
)
def test_an_evaluation_that_cannot_be_is_named(run, changes):
    runs = [run("whole", evaluation()), run("changed", evaluation() | changes)]
    with pytest.raises(DataError, match=r"changed/metrics\.json is damaged: "):
        average_runs(runs)


def test_a_recipe_that_cannot_be_is_named(run):
    recipe = {"method": ["dgd"], "recipe": {}, **TRAINED}
    with pytest.raises(DataError, match=r"recipe\.json is not the recipe of a run"):
        average_runs([run("1", evaluation(), recipe), run("2", evaluation(), recipe)])
