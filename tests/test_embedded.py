"""The embedded data set, drawn and converted on first use."""

import pytest

from tfreid import embedded
from tfreid.errors import DataError
from tfreid.records import DatasetFolder

pytestmark = pytest.mark.slow

SMALL = ["--persons=4", "--lip_images=10", "--backgrounds=3", "--occluded_persons=1"]


def test_is_made_once(tmp_path, capfd):
    reid, parsing = embedded.ensure(tmp_path / "data", SMALL)
    assert "$ python -m tfreid.convert" in capfd.readouterr().out
    assert DatasetFolder(reid).info.synthetic
    assert DatasetFolder(reid).info.num_persons == 4
    assert DatasetFolder(reid).info.has_masks("query")
    assert len(DatasetFolder(parsing).backgrounds()) == 3
    assert embedded.ensure(tmp_path / "data", SMALL) == (reid, parsing)
    assert "tfreid.convert" not in capfd.readouterr().out


def test_other_images_are_refused(tmp_path, capfd):
    embedded.ensure(tmp_path / "data", SMALL)
    with pytest.raises(DataError, match="ended with exit code 2"):
        embedded.ensure(tmp_path / "data", [*SMALL, "--seed=1"])
    assert "seed" in capfd.readouterr().err


def test_failing_step_is_named(tmp_path):
    with pytest.raises(DataError, match=r"tfreid\.synthesize ended with exit code 2"):
        embedded.ensure(tmp_path / "data", ["--persons=-1"])
