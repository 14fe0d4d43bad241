"""What components write to an object store is there whole, and comes back as it was."""

import pytest

pytest.importorskip("tfx")
import tensorflow as tf
from object_store import ObjectStore, files

from pipeline import storage
from tfreid.errors import DataError, MissingPathError, UsageError


def fill(folder):
    (folder / "variables" / "deep").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/deep/data", "zebra"):
        (folder / name).write_bytes(name.encode() * 1000)
    (folder / "empty").touch()


NAMES = ["empty", "saved_model.pb", "variables/deep/data", "zebra"]


def test_a_folder_of_this_machine_is_the_folder_itself(tmp_path):
    for place in (storage.readable, storage.writable):
        with place(str(tmp_path / "there")) as path:
            assert path == tmp_path / "there"
    assert not path.exists()
    assert storage.working_folder(str(tmp_path)) == tmp_path


def test_what_is_written_comes_back(store):
    with storage.writable(f"{store}/7") as folder:
        fill(folder)
        assert not tf.io.gfile.exists(store)  # Before it is whole nobody sees any of it.
    assert not folder.exists()
    assert files(f"{store}/7") == NAMES
    with storage.readable(f"{store}/7") as copy:
        assert sorted(str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file()) == NAMES
        assert (copy / "variables" / "deep" / "data").read_bytes() == b"variables/deep/data" * 1000
    assert not copy.exists()
    with storage.readable(f"{store}/7/zebra") as copy:
        assert copy.read_bytes() == b"zebra" * 1000


def test_the_file_that_tells_that_a_folder_is_whole_comes_last(store):
    with storage.writable(store) as folder:
        fill(folder)
    assert ObjectStore.written[-1] == f"{store}/saved_model.pb"
    assert len(ObjectStore.written) == len(NAMES)


def failing(error, place, beside=""):
    """Writes to a place and fails, with a file beside the folder or without."""
    with storage.writable(place) as folder:
        fill(folder)
        if beside:
            kept = folder.with_name(f"{folder.name}.{beside}")
            kept.write_text("why")
            error = type(error)(f"{error} {kept}")
        raise error


def test_what_failed_is_not_there(store):
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError(), store)
    assert not tf.io.gfile.exists(store)


def test_what_a_failure_keeps_beside_its_output_is_kept(store):
    """As the conversion does with rejects; the error names the place where they are."""
    with pytest.raises(DataError, match=r"^all rejects: ram:.*/root/7\.rejects\.jsonl$"):
        failing(DataError("all rejects:"), f"{store}/7", beside="rejects.jsonl")
    assert files(store) == ["7.rejects.jsonl"]


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    fill(folder)
    return folder


def test_a_run_is_moved(store, run, tmp_path):
    storage.move(run, store)
    assert files(store) == NAMES
    assert not run.exists()
    with storage.readable(store) as copy:
        copy.rename(tmp_path / "run")
    (tmp_path / "kept").mkdir()
    storage.move(run, str(tmp_path / "kept"))
    assert files(str(tmp_path / "kept")) == NAMES
    assert not run.exists()


def test_a_run_that_a_store_does_not_take_stays(store, run, monkeypatch):
    def refuse(name, mode="r"):
        raise tf.errors.PermissionDeniedError(None, None, "no key\nand more")

    monkeypatch.setattr(ObjectStore, "open", refuse)
    with pytest.raises(DataError, match=r"^ram://.* cannot be used: no key$"):
        storage.move(run, store)
    assert files(str(run)) == NAMES


def test_what_is_not_there_is_named(store):
    with pytest.raises(MissingPathError, match="nothing at ram://"), storage.readable(store):
        pass


def test_a_kind_of_store_that_nobody_knows_is_named():
    with pytest.raises(UsageError, match=r"^nowhere://b/x cannot be used: .*not implemented"):
        storage.require_store("nowhere://b/x")
    storage.require_store("/no/such/folder")


def test_a_mounted_bucket_is_read_where_it_is_mounted(tmp_path, monkeypatch):
    """Written it is file by file, as mounted buckets have no renames of folders either."""
    monkeypatch.setattr(storage, "_MOUNT", tmp_path)
    (tmp_path / "bucket").mkdir()
    with storage.writable("gs://bucket/reid/7") as folder:
        fill(folder)
        assert list((tmp_path / "bucket").iterdir()) == []
    with storage.readable("gs://bucket/reid/7") as path:
        assert path == tmp_path / "bucket" / "reid" / "7"
        assert files(str(path)) == NAMES


def test_trainings_go_on_in_a_folder_of_this_machine(store, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = storage.working_folder(store)
    assert folder == tmp_path / "cache" / "tfreid" / "runs"
    assert folder.is_dir()
