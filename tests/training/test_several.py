"""Runs that are used together; how they are loaded is tested with the commands."""

from dataclasses import replace

import pytest

from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.training import Run, open_data, open_runs, read_weights, short_names
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.description import run_description


def made(path, folder, fingerprint=None):
    """A run, not trained, on a data set or on one of another fingerprint."""
    records = type(folder)(folder.path)
    records.info = replace(folder.info, fingerprint=fingerprint or folder.info.fingerprint)
    run, data = Run(path), {"reid": records}
    with run.claim(run_description("dgd", METHODS["dgd"].demo(), 0, Arithmetic(), data)):
        run.write_infos(data)
    return run


def test_a_run_named_twice_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is given twice"):
        open_runs([tmp_path / "a", tmp_path / "b" / ".." / "a"])


def test_runs_on_different_data_want_the_test_images_named(reid_folder, tmp_path):
    runs = [made(tmp_path / "one", reid_folder), made(tmp_path / "two", reid_folder, "other")]
    with pytest.raises(UsageError, match=r"say on which test images to measure \(data\)"):
        open_data(runs, None)
    assert open_data(runs, str(reid_folder.path)).path == reid_folder.path


def test_names_are_short_where_they_differ():
    assert short_names([Run(path) for path in ("x/a", "y/b/")]) == ["a", "b"]
    assert short_names([Run(path) for path in ("r/x/a", "r/y/a")]) == ["x/a", "y/a"]


def test_weights_are_a_positive_number_a_run():
    assert read_weights(None, 3) == [1, 1, 1]
    assert read_weights(["1", "0.5"], 2) == [1, 0.5]
    for given, runs in ((["1"], 1), (["1", "2"], 3), (["1", "0"], 2), (["1", "x"], 2)):
        with pytest.raises(UsageError, match="a positive number for each of several runs"):
            read_weights(given, runs)
