"""Rows run once, and go on where they were interrupted."""

from dataclasses import replace

import pytest

from tests.edited_json import edited
from tests.reproduction.papers import TABLE, FakeRunner, data_folder, plan_on, recipe_from_flags
from tfreid.errors import DataError, UsageError
from tfreid.records.info import SplitInfo
from tfreid.reproduction import (
    TABLES,
    Reproduction,
    Setting,
    TableRow,
    as_markdown,
    gather,
    run_rows,
)


@pytest.fixture
def plan(tmp_path):
    return plan_on(tmp_path)


def run(plan, runner, rows=TABLE.rows, seeds=(0,), done=lambda: None):
    return run_rows(plan, rows, seeds, runner, done)


def path_of(plan, row, seed=0):
    return plan.run(TABLE.rows[row], plan.settings[0], seed).path


def test_rows_of_one_recipe_share_a_run(plan):
    runner = FakeRunner()
    run(plan, runner)
    assert runner.names == ["train", "evaluate"] * 3
    assert path_of(plan, 1) == path_of(plan, 2)
    assert len({path_of(plan, row) for row in range(4)}) == 3


def test_copies_are_trained_on_and_tested_on_the_data_without(plan):
    runner = FakeRunner()
    run(plan, runner, TABLE.rows[3:])
    train, test = runner.commands
    assert "/copies " in train
    assert "/market " in test


def test_commands_say_everything(plan):
    runner = FakeRunner()
    run(plan, runner, TABLE.rows[:1], seeds=[3])
    market, out = plan.settings[0].train.path, path_of(plan, 0, 3)
    assert runner.commands[0].split() == [
        "tfreid.train",
        "--method=dgd",
        "--scale=demo",
        f"--data={market}",
        "--recipe.width=0.5",
        "--seed=3",
        f"--out={out}",
        "--noexport",
    ]
    assert f"--run={out} --data={market} --out={out}/tests/market1501-" in runner.commands[1]


def test_done_rows_are_not_run_again(plan, capsys):
    run(plan, FakeRunner())
    again, calls = FakeRunner(), []
    run(plan, again, done=lambda: calls.append(1))
    assert again.commands == []
    assert len(calls) == len(TABLE.rows)
    assert "done before: " in capsys.readouterr().out


def test_another_seed_is_another_run(plan):
    run(plan, FakeRunner())
    more = FakeRunner()
    run(plan, more, seeds=[0, 1])
    assert more.names == ["train", "evaluate"] * 3
    assert all("seed1" in command for command in more.commands)


def test_failure_leaves_what_is_done_and_the_same_call_goes_on(plan, capsys):
    first = FakeRunner(fails_at=f"evaluate --run={path_of(plan, 1)}")
    with pytest.raises(ValueError, match="stopped"):
        run(plan, first)
    assert first.names == ["train", "evaluate", "train"]
    second = FakeRunner()
    run(plan, second)
    assert second.names == ["evaluate", "train", "evaluate"]
    assert f"trained before: {path_of(plan, 1)}" in capsys.readouterr().out


def test_what_fails_of_a_row_keeps_no_other_from_running(plan, capsys):
    first = FakeRunner(fails_at=f"evaluate --run={path_of(plan, 1)}", error=DataError)
    failed = run(plan, first)
    assert first.names == ["train", "evaluate", "train", "train", "evaluate"]
    heads = [f"paper/1, {row.name}, market1501, seed 0" for row in TABLE.rows[1:3]]  # One run.
    assert [text.partition(":")[0] for text in failed] == heads
    assert f"{heads[0]} failed: stopped at" in capsys.readouterr().err
    second = FakeRunner()
    assert run(plan, second) == []
    assert second.names == ["evaluate"]


def test_an_unfinished_training_is_continued(plan):
    run(plan, FakeRunner(), TABLE.rows[:1])
    (path_of(plan, 0) / "metrics.json").unlink()
    again = FakeRunner()
    run(plan, again, TABLE.rows[:1])
    assert again.names[0] == "train"


def test_a_run_of_another_recipe_does_not_count(plan):
    run(plan, FakeRunner(), TABLE.rows[:1])
    with edited(path_of(plan, 0) / "recipe.json") as values:
        values["recipe"]["momentum"] = 0.5
    (failure,) = run(plan, lambda name, arguments: None, TABLE.rows[:1])
    assert "is not the run that the table asks for" in failure


def test_missing_data_are_told_before_anything_runs(tmp_path):
    plan = plan_on(tmp_path)
    plan.settings[0].copies.clear()
    runner = FakeRunner()
    with pytest.raises(UsageError, match="--offline_random_background=1"):
        run(plan, runner)
    assert runner.commands == []


def test_stages_of_other_records_need_data(plan):
    with pytest.raises(UsageError, match="trains on parsing records: give some \\(parsing_data"):
        run(plan, FakeRunner(), [TableRow("PGP", "pgp")])


def test_rows_that_train_no_parser_share_one_of_their_recipe(plan, tmp_path):
    lip = data_folder(tmp_path / "lip", name="lip", kind="parsing")
    setting = replace(plan.settings[0], others={"parsing": lip})
    plan = replace(plan, changes={"batch_size": 4, "parsing.batch_size": 2})
    (parser, one), (same, other) = (
        plan.run(
            TableRow(name, "spreid", {"aggregation": name, "train_parser": False}), setting, 0
        ).trainings()
        for name in ("with_foreground", "without_foreground")
    )
    assert (parser.path, parser.method) == (same.path, "parsing")
    assert one.path != other.path
    assert parser.recipe == one.recipe.parsing
    assert (one.recipe.batch_size, parser.recipe.batch_size) == (4, 2)
    assert f"--parsing_data={lip.path}" in parser.training_arguments()
    assert recipe_from_flags("parsing", "demo", parser.training_arguments()) == parser.recipe
    assert f"--init_from={parser.path}" in one.training_arguments()
    assert not any("--parsing_data" in argument for argument in one.training_arguments())


FIRST, OTHER = TableRow("first", "dgd", {"width": 0.5}), TableRow("other", "dgd")
SECOND = TableRow("second", "dgd", {"width": 0.25}, after=FIRST)
BOTH = TableRow("both", combines=(SECOND, OTHER))


def test_a_second_phase_starts_from_the_first_on_the_data_that_are_tested(plan, tmp_path):
    tested = data_folder(tmp_path / "tested", name="dukemtmc")
    setting = replace(plan.settings[0], test=tested)
    plan, runner = replace(plan, settings=[setting]), FakeRunner()
    run(plan, runner, [SECOND])
    assert runner.names == ["train", "train", "evaluate"]
    first, second = (plan.run(row, setting, 0).path for row in (FIRST, SECOND))
    market = setting.train.path
    assert f"--data={market} " in runner.commands[0]
    assert f"--out={first} " in runner.commands[0]
    assert f"--data={tested.path} --init_from={first} " in runner.commands[1]
    assert f"--run={second} " in runner.commands[2]
    again = FakeRunner()
    run(plan, again, [FIRST])
    assert again.names == ["evaluate"]


def test_combined_rows_train_what_is_not_trained_and_test_together(plan):
    runner = FakeRunner()
    run(plan, runner, [OTHER, BOTH])
    assert runner.names == ["train", "evaluate", "train", "train", "evaluate"]
    second, other = (plan.run(row, plan.settings[0], 0).path for row in (SECOND, OTHER))
    assert f"--run={second} --run={other} " in runner.commands[-1]
    again = FakeRunner()
    run(plan, again, [BOTH])
    assert again.commands == []


def test_weighted_combinations_are_tests_of_their_own(plan):
    runner = FakeRunner()
    run(plan, runner, [BOTH, replace(BOTH, name="weighted", weights=(1, 2))])
    assert runner.names == ["train", "train", "train", "evaluate", "evaluate"]
    assert runner.commands[-1].endswith("-weights-1-2 --run_weights=1,2")


def test_rows_have_forms_of_their_own_at_demo_scale(plan):
    scaled = TableRow("scaled", "dgd", {"width": 0.5, "momentum": 0.8}, demo={"width": 0.25})
    demo, paper = (
        replace(plan, scale=scale).run(scaled, plan.settings[0], 0) for scale in ("demo", "paper")
    )
    assert (demo.recipe.width, demo.recipe.momentum) == (0.25, 0.8)
    assert (paper.recipe.width, paper.recipe.momentum) == (0.5, 0.8)
    plan = replace(plan, table=replace(TABLE, rows=(scaled,)))
    text = as_markdown(plan, gather(plan))
    assert "At demo scale: scaled has width=0.25." in text
    whole = replace(plan, scale="paper")
    assert "At demo scale" not in as_markdown(whole, gather(whole))


def test_reranked_rows_are_tests_of_their_own(plan):
    runner = FakeRunner()
    run(plan, runner, [OTHER, replace(OTHER, name="re-ranked", rerank=True)])
    assert runner.names == ["train", "evaluate", "evaluate"]
    assert [command.endswith(" --rerank") for command in runner.commands] == [False, False, True]


def test_each_way_of_matching_is_a_test_of_its_own(plan):
    runner = FakeRunner()
    matched = replace(OTHER, name="matched", matching="exact")
    table = replace(TABLE, rows=(OTHER, matched)).with_matching("shortlist")
    run(plan, runner, [OTHER, matched, table.rows[1]])
    assert table.rows[0] == OTHER
    assert runner.names == ["train", "evaluate", "evaluate", "evaluate"]
    assert ["--matching" in command for command in runner.commands[1:]] == [False, True, True]
    assert runner.commands[2].endswith("-exact --matching=exact")
    toolbox = replace(plan, table=replace(TABLE, average_precision="trapezoid"))
    run(toolbox, runner, [matched])
    asked = "-exact-trapezoid --matching=exact --average_precision=trapezoid"
    assert runner.commands[-1].endswith(asked)
    assert runner.names[-2:] == ["evaluate", "evaluate"]
    with pytest.raises(UsageError, match=r"matching=exact.*which paper/1 has none of"):
        TABLE.with_matching("exact")


def test_a_second_phase_needs_training_images(plan, tmp_path):
    only_test = data_folder(tmp_path / "test", splits={"query": SplitInfo(1, 1, 1, 1, 0)})
    plan = replace(plan, settings=[replace(plan.settings[0], test=only_test)])
    with pytest.raises(UsageError, match=r"training images of .*test, which has none"):
        run(plan, FakeRunner(), [SECOND])


def test_rows_of_pgp_share_a_parser(tmp_path):
    """Over rows and tables, one a seed; the main network alone has none."""
    folders = {
        "parsing": data_folder(tmp_path / "lip", name="lip", kind="parsing"),
        "reid": data_folder(tmp_path / "market"),
    }
    market = folders["reid"]
    copies = dict.fromkeys((1, 2), market)
    setting = Setting("market1501", market, market, copies, {"parsing": folders["parsing"]})
    found = {}
    for name in ("pgp/1", "pgp/2", "pgp/3", "pgp/4"):
        for scale in ("demo", "paper"):
            plan = Reproduction(TABLES[name], [setting], tmp_path / "runs", scale)
            for row in TABLES[name].rows:
                first, *rest = plan.run(row, setting, 0).trainings()
                found.setdefault((scale, first.method), set()).add(first.path)
                if rest and first.method == "parsing":
                    assert first.recipe == rest[0].recipe.parsing
    assert {key: len(paths) for key, paths in found.items() if key[1] == "parsing"} == {
        ("demo", "parsing"): 1,
        ("paper", "parsing"): 1,
    }
    assert len(found["demo", "pgp"]) == 4  # Main networks: four probabilities, 0 in two tables.
