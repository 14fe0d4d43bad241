"""Runs that are used together; how they are loaded is tested with the commands."""

from dataclasses import replace
from pathlib import Path

import pytest

from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.training import RunFolder
from tfreid.training.several import LoadedRun, load_runs, open_data, short_names


def loaded(path, folder, fingerprint=None):
    info = folder.info if fingerprint is None else replace(folder.info, fingerprint=fingerprint)
    return LoadedRun(RunFolder(Path(path)), METHODS["dgd"], METHODS["dgd"].demo(), info, None)


def test_a_run_named_twice_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is given twice"):
        load_runs([tmp_path / "a", tmp_path / "b" / ".." / "a"])


def test_runs_on_different_data_want_the_test_images_named(reid_folder, tmp_path):
    runs = [loaded("one", reid_folder), loaded("two", reid_folder, "other")]
    with pytest.raises(UsageError, match=r"say on which test images to measure \(--data\)"):
        open_data(runs, None)
    assert open_data(runs, str(reid_folder.path)).path == reid_folder.path


def test_names_are_short_where_they_differ(reid_folder):
    assert short_names([loaded(p, reid_folder) for p in ("x/a", "y/b/")]) == ["a", "b"]
    assert short_names([loaded(p, reid_folder) for p in ("r/x/a", "r/y/a")]) == ["x/a", "y/a"]
