"""What is left of a table, counted before anything runs."""

import pytest

from tests.reproduction.papers import TABLE, FakeRunner, plan_on
from tfreid.reproduction import TableRow, effort, run_rows
from tfreid.training import Run


def test_what_is_left_is_counted_once(tmp_path):
    plan, planned = plan_on(tmp_path), set()
    found = effort(plan, TABLE.rows, [0, 1], planned)
    steps = plan.run(TABLE.rows[0], plan.settings[0], 0).recipe.schedule.steps
    assert (found.trainings, found.tests, found.updates) == (6, 6, 6 * steps)
    assert (found.seconds, found.unknown) == (0, {"dgd"})
    again = effort(plan, TABLE.rows, [0, 1], planned)
    assert (again.trainings, again.tests) == (0, 6)
    assert not (tmp_path / "runs").exists()


def test_times_are_those_of_the_runs_that_are_there(tmp_path):
    plan = plan_on(tmp_path)
    run_rows(plan, TABLE.rows, [0], FakeRunner(), lambda: None)
    of_row = [plan.run(row, plan.settings[0], 0).path for row in TABLE.rows]
    assert all(Run(path).metrics["training_seconds"] >= 0 for path in of_row)
    for path, seconds in zip(of_row, (10.0, 40.0, 40.0, 100.0), strict=True):
        Run(path).add_metrics(training_seconds=seconds)
    found = effort(plan, TABLE.rows, [0, 1], set())
    assert (found.trainings, found.tests, found.seconds) == (3, 3, 150.0)
    other = TableRow("other", "dgd", {"width": 0.3})
    of_method = effort(plan, [other], [0], set())
    assert of_method.seconds == pytest.approx((10 + 40 + 100) / 3)
    assert not of_method.unknown


def test_a_training_that_is_continued_is_not_timed(tmp_path):
    plan = plan_on(tmp_path)
    run_rows(plan, TABLE.rows[:1], [0], FakeRunner(), lambda: None)
    path = plan.run(TABLE.rows[0], plan.settings[0], 0).path
    (path / "metrics.json").unlink()
    run_rows(plan, TABLE.rows[:1], [0], FakeRunner(), lambda: None)
    assert "training_seconds" not in Run(path).metrics
