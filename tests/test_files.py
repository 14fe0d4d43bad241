import pytest

from tfreid.errors import DataError, UsageError
from tfreid.files import completed_file, completed_folder, read_json, write_json, write_text

# ---- A file.


def test_file_appears_when_complete(tmp_path):
    path = tmp_path / "deep" / "table.npz"
    with completed_file(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
        assert (partial.parent, partial.suffix) == (path.parent, ".npz")
        assert partial.name.startswith(".")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_file_stays_what_it_was_where_the_writing_fails(tmp_path):
    path = tmp_path / "table.json"
    path.write_text("before")

    def write_half():
        with completed_file(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_may_fail_before_anything_is_written(tmp_path):
    with pytest.raises(OSError, match="disk full"), completed_file(tmp_path / "table.json"):
        raise OSError("disk full")
    assert not list(tmp_path.iterdir())


def test_two_writers_of_a_file_do_not_meet(tmp_path):
    path = tmp_path / "table.json"
    with completed_file(path) as first:
        first.write_text("first")
        with completed_file(path) as second:
            assert second != first
            second.write_text("second")
        assert path.read_text() == "second"
        assert first.read_text() == "first"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


# ---- Text and JSON.


def test_text_is_written_as_utf8(tmp_path):
    write_text(tmp_path / "page.html", "±\n")
    assert (tmp_path / "page.html").read_bytes() == b"\xc2\xb1\n"


def test_json_is_read_as_it_was_written(tmp_path):
    values = {"name": "a→b", "figures": [0.5, None]}
    write_json(tmp_path / "deep" / "metrics.json", values)
    assert read_json(tmp_path / "deep" / "metrics.json") == values


def test_what_json_cannot_hold_leaves_the_file_as_it_was(tmp_path):
    write_json(tmp_path / "metrics.json", {"rank1": 0.5})
    with pytest.raises(TypeError):
        write_json(tmp_path / "metrics.json", {"rank1": object()})
    assert read_json(tmp_path / "metrics.json") == {"rank1": 0.5}


@pytest.mark.parametrize("contents", [b"", b"{", b'{"rank1": "\xff"}'])
def test_damaged_json_is_named(tmp_path, contents):
    path = tmp_path / "metrics.json"
    path.write_bytes(contents)
    with pytest.raises(DataError, match=r"metrics\.json is damaged"):
        read_json(path)


# ---- A folder.


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
        pytest.raises(UsageError, match="exists: remove it, or choose another folder"),
        completed_folder(tmp_path / "out"),
    ):
        pass
    assert (tmp_path / "out" / "file").read_text() == "whole"


def test_one_writer_of_a_folder_at_a_time(tmp_path):
    with completed_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("whole")
        with (
            pytest.raises(UsageError, match="another process is writing"),
            completed_folder(tmp_path / "out"),
        ):
            pass
    assert (tmp_path / "out" / "file").read_text() == "whole"


def test_who_reads_the_old_file_reads_it_to_its_end(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with path.open() as reader:
        write_text(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"
