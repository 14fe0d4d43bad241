"""The average command."""

import json

import pytest

from tests.commands import run_command


@pytest.fixture
def runs(tmp_path):
    """What two runs measured on two of ten splits."""
    folders = []
    for index, rank1 in enumerate((0.25, 0.75)):
        folder = tmp_path / f"run{index}"
        folder.mkdir()
        split = {"index": index, "of": 10, "seed": 0, "test_persons": 316}
        evaluation = {
            "original": {"rank1": rank1},
            "protocol": {"name": "random_half"},
            "data": {"dataset": "viper", "options": {}, "split": split},
        }
        (folder / "metrics.json").write_text(json.dumps({"evaluation": evaluation}))
        folders.append(folder)
    return folders


def test_runs_are_averaged(runs, tmp_path):
    out = tmp_path / "new" / "average.json"
    done = run_command("average", *runs, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert "viper, protocol random_half" in done.stdout
    (row,) = (line for line in done.stdout.splitlines() if "original rank1" in line)
    assert "50.0" in row
    assert "35.4" in row
    assert "over 2 runs" in done.stdout
    assert done.stderr == (
        "warning: viper: 2 of 10 splits: published figures are the mean over all 10\n"
    )
    average = json.loads(out.read_text())
    assert average["runs"] == [str(run) for run in runs]
    rank1 = average["datasets"]["viper"]["figures"]["original"]["rank1"]
    assert rank1 == {"mean": 0.5, "deviation": pytest.approx(0.125**0.5), "values": [0.25, 0.75]}
    assert average["datasets"]["viper"]["protocol"] == {"name": "random_half"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{0}"], "two different runs or more"),
        (["{0}", "{0}/nowhere"], "there is no"),
    ],
)
def test_misuse_is_explained(runs, arguments, message):
    done = run_command("average", *(argument.format(*runs) for argument in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
