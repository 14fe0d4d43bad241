"""The reproduce command, on tiny records and networks of one step."""

import json
import shlex

import pytest

from tests.commands import Command, run_command
from tfreid.reproduction import TABLES

TINY = (
    "--scale=demo",
    "--set=width=0.05",
    "--set=schedule.steps=1",
    "--set=batch_size=4",
    "--set=image_size_px=(32,16)",
)


def reproduce(*arguments):
    """The command, whose trainings and evaluations are forks as well."""
    return Command("tests.forked_commands", "tfreid.reproduce", *arguments).finish()


def test_a_table_is_run_once(reid_folder, tmp_path):
    command = (
        "--table=pgp/2",
        "--rows=DGD original,DGD random-background",
        f"--data={reid_folder.path}",
        f"--out={tmp_path}",
        f"--page={tmp_path / 'results.md'}",
        *TINY,
    )
    left = reproduce(*command, "--dry_run")
    assert " 1 trainings (1 updates) and 1 tests left: dgd was not timed yet\n" in left.stdout
    assert not (tmp_path / "results.md").exists()
    first = reproduce(*command)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("$ python -m tfreid.train --method=dgd --scale=demo") == 1
    assert first.stdout.count("$ python -m tfreid.evaluate") == 1
    text = (tmp_path / "pgp" / "2" / "table.md").read_text(encoding="utf-8")
    assert text in first.stdout
    assert "**Synthetic data, demo scale, width=0.05" in text
    values = json.loads((tmp_path / "pgp" / "2" / "table.json").read_text())
    rows = {row["name"]: row for row in values["settings"][0]["rows"]}
    assert rows["DGD original"]["figures"]["Top-1"]["paper"] is None  # of drawn images
    assert rows["DGD original"]["figures"]["Top-1"]["seeds"] == 1
    assert rows["PGP original"]["runs"] == {}
    alone = shlex.split(values["command"])
    assert alone[:4] == ["python", "-m", "tfreid.reproduce", "--table=pgp/2"]
    given = {*command} - {command[0], f"--page={tmp_path / 'results.md'}"}
    assert set(alone[4:]) == given | {"--seeds=0"}
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "| DGD original" in page
    assert values["command"] in page
    assert page.count("Not run.") == len(TABLES) - 1

    second = reproduce(*command)
    assert second.returncode == 0, second.stderr
    assert "$ python" not in second.stdout
    assert second.stdout.count("done before: ") == 2
    assert text in second.stdout


def test_the_error_of_a_row_is_shown(reid_folder, tmp_path):
    failed = reproduce(
        "--table=fanet/1",
        f"--data={reid_folder.path}",
        "--set=weights=nowhere.h5",
        f"--out={tmp_path}",
    )
    assert failed.returncode == 2
    assert "nowhere.h5" in failed.stderr
    assert "tfreid.train ended with exit code 2" in failed.stderr


def test_of_several_tables_what_cannot_be_run_is_said(reid_folder, tmp_path):
    done = reproduce(
        "--table=pgp/5,pgp/figure3", f"--data={reid_folder.path}", f"--out={tmp_path}", "--dry_run"
    )
    assert done.returncode == 0, done.stderr
    assert "pgp/5 is left out: pgp/5 needs parsing records (--parsing_data)" in done.stdout
    assert "pgp/figure3      4 trainings" in done.stdout


def test_of_several_tables_each_takes_the_fields_that_it_has(reid_folder, tmp_path):
    fields = ["--set=weights=nowhere.h5", "--set=beta=0.5", "--set=embedding_size=8"]
    ended = reproduce(
        "--table=fanet/5,fpr/4", f"--data={reid_folder.path}", f"--out={tmp_path}", *fields
    )
    assert ended.returncode == 1
    assert ended.stderr.count("nowhere.h5") >= 2  # both began
    commands = {
        name: json.loads((tmp_path / name / "table.json").read_text())["command"]
        for name in ("fanet/5", "fpr/4")
    }
    assert [field in commands["fanet/5"] for field in fields] == [True, False, True]
    assert [field in commands["fpr/4"] for field in fields] == [True, True, False]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--table must be given: one of fanet/1"),
        (["--table=fanet/9"], "no table 'fanet/9'"),
        (["--table=fanet/1,fanet/2", "--rows=FA-Net"], "--rows is for one table"),
        (["--page=page.md", "--dry_run"], "--dry_run needs --table"),
        (["--table=fanet/1,fpr/4", "--set=epoch=1"], "no recipe of fanet/1, fpr/4 has a field"),
        (["--table=fanet/1", "--seeds=one"], "--seeds takes whole numbers"),
        (["--table=fanet/1", "--set=epochs"], "expected FIELD=VALUE"),
        (["--table=fanet/1", "--data=/nowhere"], "--data=/nowhere: there is no such file"),
        (["--table=pgp/5", "--data={reid}"], "pgp/5 needs parsing records (--parsing_data)"),
    ],
)
def test_misuse_is_explained(arguments, text, reid_folder, tmp_path):
    filled = [argument.format(reid=reid_folder.path) for argument in arguments]
    done = run_command("reproduce", *filled, f"--out={tmp_path / 'out'}")
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_tables_are_listed():
    done = run_command("reproduce", "--list")
    assert done.returncode == 0
    assert "fanet/3        FA-Net, Table III" in done.stdout
    assert "B/L+TEM+BG+IA+TAL" in done.stdout
