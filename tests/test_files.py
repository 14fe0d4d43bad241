import pytest

from tfreid.errors import UsageError
from tfreid.files import completed_folder


def test_folder_appears_when_complete(tmp_path):
    out = tmp_path / "deep" / "out"
    with completed_folder(out) as folder:
        (folder / "file").write_text("whole")
        assert not out.exists()
    assert (out / "file").read_text() == "whole"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_taken_and_empty_targets(tmp_path):
    (tmp_path / "out").mkdir()
    with completed_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("whole")
    with (
        pytest.raises(UsageError, match="exists: remove it, or choose another --out"),
        completed_folder(tmp_path / "out"),
    ):
        pass
    assert (tmp_path / "out" / "file").read_text() == "whole"


def test_one_writer_at_a_time(tmp_path):
    with completed_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("whole")
        with (
            pytest.raises(UsageError, match="another process is writing"),
            completed_folder(tmp_path / "out"),
        ):
            pass
    assert (tmp_path / "out" / "file").read_text() == "whole"
