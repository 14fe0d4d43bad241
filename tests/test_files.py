"""Outputs that appear whole, in private folders; JSON with a checksum; what needs room."""

import contextlib
import json
import os
import stat
from pathlib import Path

import pytest

from tfreid.errors import DataError, UsageError
from tfreid.files import (
    completed_file,
    completed_folder,
    private_folder,
    read_json,
    require_new,
    require_space,
    require_writable,
    write_json,
    write_text,
)

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


def test_a_checksum_tells_a_changed_value(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"labels": {10: 1, 9: 2}, "size": (1, 2.5)}, checksum=True)
    assert read_json(path) == {"labels": {"10": 1, "9": 2}, "size": [1, 2.5]}
    assert read_json(path, dict[str, object])["size"] == [1, 2.5]
    whole = path.read_text()
    for old, new in (("2.5", "2.6"), ('"9"', '"8"'), ('"size"', '"seize"')):
        path.write_text(whole.replace(old, new))
        with pytest.raises(DataError, match=r"metrics\.json is damaged: its contents .* remove"):
            read_json(path)
    values = json.loads(whole)
    del values["checksum"]
    path.write_text(json.dumps(values))
    assert read_json(path)["size"] == [1, 2.5]


@pytest.mark.parametrize("text", ["[]", "3", "null", "{", "[" * 100_000, "9" * 9_999, '"\\ud800"'])
def test_json_of_another_type_is_named(tmp_path, text):
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"metrics\.json is damaged: "):
        read_json(path, dict[str, int])


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


def test_it_is_private_until_it_is_complete(tmp_path):
    out = tmp_path / "out"
    (tmp_path / "like_others").mkdir()
    with completed_folder(out) as folder:
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert folder.parent.parent == tmp_path
    assert out.stat().st_mode == (tmp_path / "like_others").stat().st_mode


@contextlib.contextmanager
def killed(out: Path):
    """What a process that is killed leaves: everything, but no lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with contextlib.suppress(KeyboardInterrupt), completed_folder(out) as folder:
            (folder / "half").touch()
            raise KeyboardInterrupt
    (left,) = out.parent.glob(f".{out.name}.*.partial")
    yield left


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    with killed(tmp_path / "out") as left:
        with completed_folder(tmp_path / "out.more"):
            assert left.exists()
        with completed_folder(tmp_path / "out"):
            assert not left.exists()
    assert sorted(os.listdir(tmp_path)) == ["out", "out.more"]


def test_what_others_may_write_to_is_neither_used_nor_removed(tmp_path):
    with killed(tmp_path / "out") as left:
        left.chmod(0o777)
        with completed_folder(tmp_path / "out"):
            pass
        assert left.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_is_anothers_is_neither_used_nor_removed(tmp_path):
    with killed(tmp_path / "out") as left:
        os.chown(left, 65534, 65534)
        with completed_folder(tmp_path / "out"):
            pass
        assert left.exists()


def test_folders_and_links_of_like_names_stay(tmp_path):
    mine, target = tmp_path / "out.partial", tmp_path / "target"
    hidden = tmp_path / ".out.mine.partial"
    for folder in (mine, target, hidden):
        folder.mkdir(0o700)
        (folder / "thesis.txt").write_text("precious")
    (tmp_path / ".out.link.partial").symlink_to(target)
    with completed_folder(tmp_path / "out"):
        pass
    for folder in (mine, target, hidden):
        assert (folder / "thesis.txt").read_text() == "precious"
    assert (tmp_path / ".out.link.partial").is_symlink()


def test_a_link_leads_to_the_folder_that_is_written(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "here")
    with completed_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("whole")
    assert (tmp_path / "disk" / "here" / "file").read_text() == "whole"
    assert (tmp_path / "out").is_symlink()


def test_a_name_may_be_as_long_as_names_may_be(tmp_path):
    with completed_folder(tmp_path / ("o" * 255)):
        pass
    assert os.listdir(tmp_path) == ["o" * 255]


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


# ---- Room.


def test_places_that_can_be_written_to_are_left_as_they_are(tmp_path):
    require_writable(tmp_path)
    require_writable(tmp_path / "not" / "there")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["file/below", "file", "loop/below", "n" * 300, "/proc/out"])
def test_places_that_cannot_be_are_named(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match=f"{name} cannot be written to"):
        require_writable(tmp_path / name)


def test_a_place_for_a_new_folder_is_free(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for name in ("empty", "new", "new/below"):
        require_new(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "taken"]
    for name in ("taken", "taken/file"):
        with pytest.raises(UsageError, match=f"{name} exists: remove it, or choose another"):
            require_new(tmp_path / name)


def test_a_place_that_is_forbidden_is_named(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "file")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(UsageError, match=r"runs cannot be written to \(Permission denied\)"):
        require_writable(tmp_path / "runs")


def test_a_disk_without_room_is_named(tmp_path):
    require_space(tmp_path / "out", 1, "the records")
    with pytest.raises(
        UsageError, match=r"the records take about .* GiB in .*out, and .* are free"
    ):
        require_space(tmp_path / "out", 2.0**80, "the records")


def test_what_takes_little_is_not_called_nothing(tmp_path, full_disk):
    with pytest.raises(UsageError, match=r"about 2\.0 MiB in .*, and 0\.0 MiB are free: free some"):
        require_space(tmp_path / "out", 2 * 2**20, "the records")


def test_a_private_folder_is_new_or_this_users_own(tmp_path):
    private_folder(tmp_path / "deep" / "own")
    assert stat.S_IMODE((tmp_path / "deep" / "own").stat().st_mode) == 0o700
    (tmp_path / "deep" / "own" / "kept").touch()
    private_folder(tmp_path / "deep" / "own")
    assert (tmp_path / "deep" / "own" / "kept").exists()


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "open folder"])
def test_a_folder_that_others_can_reach_is_not_taken(tmp_path, kind):
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    if "link" in kind:
        place.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.mkdir()
    if kind == "file":
        place.touch()
    if kind == "open folder":
        place.mkdir()
        place.chmod(0o777)
    with pytest.raises(UsageError, match=r"place is a link, somebody else's, or open to others"):
        private_folder(place)
    assert not elsewhere.exists() or not any(elsewhere.iterdir())
