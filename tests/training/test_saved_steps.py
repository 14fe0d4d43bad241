"""Which checkpoint a run goes on from when files are damaged or gone."""

import numpy as np
import pytest
import tensorflow as tf

from tests.training import toy
from tfreid import training
from tfreid.errors import DataError
from tfreid.training.saved_steps import newest_checkpoint, remove_half_written, saved_steps

OPTIONS = training.WatchOptions(checkpoint_every_steps=2, log_every_steps=2, keep_checkpoints=3)


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 2, 4 and 6."""
    value = tf.Variable(tf.range(64.0))
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(value=value), tmp_path, 3)
    for step in (2, 4, 6):
        value.assign_add(tf.ones(64))
        manager.save(checkpoint_number=step)
    return tmp_path


def change(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "data cut": lambda folder: (folder / "ckpt-6.data-00000-of-00001").write_bytes(b"short"),
    "data empty": lambda folder: (folder / "ckpt-6.data-00000-of-00001").write_bytes(b""),
    "data changed": lambda folder: change(folder / "ckpt-6.data-00000-of-00001"),
    "data gone": lambda folder: (folder / "ckpt-6.data-00000-of-00001").unlink(),
    "index cut": lambda folder: (folder / "ckpt-6.index").write_bytes(b"short"),
    "index empty": lambda folder: (folder / "ckpt-6.index").write_bytes(b""),
    "index changed": lambda folder: change(folder / "ckpt-6.index"),
    "index gone": lambda folder: (folder / "ckpt-6.index").unlink(),
    "all gone": lambda folder: [path.unlink() for path in folder.glob("ckpt-6.*")],
}


def test_an_empty_folder_has_none(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / "nowhere") is None


def test_the_newest_is_found_whatever_tensorflows_list_says(folder, capsys):
    assert newest_checkpoint(folder) == f"{folder}/ckpt-6"
    for text in (b"", b"hello", b"\xff\xfe", b'model_checkpoint_path: "ckpt-2"\n'):
        (folder / "checkpoint").write_bytes(text)
        assert newest_checkpoint(folder) == f"{folder}/ckpt-6"
    (folder / "checkpoint").unlink()
    assert newest_checkpoint(folder) == f"{folder}/ckpt-6"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_one_before_a_damaged_one_is_taken_with_a_warning(folder, damage, capfd):
    DAMAGES[damage](folder)
    assert newest_checkpoint(folder) == f"{folder}/ckpt-4"
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"warning: the checkpoint {folder}/ckpt-6 is damaged, ")
    assert line.endswith(f": taking the one before, {folder}/ckpt-4")


def test_where_none_is_whole_all_are_named(folder):
    for path in folder.glob("*.index"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"no checkpoint in .*ckpt-6 is .*ckpt-4 is .*ckpt-2 is "):
        newest_checkpoint(folder)
    for path in folder.glob("ckpt-*"):
        path.unlink()
    (folder / "checkpoint").write_text("hello")
    with pytest.raises(DataError, match=r"no checkpoint in .*checkpoint names none"):
        newest_checkpoint(folder)


def test_a_size_that_no_memory_has_is_damage(folder, monkeypatch):
    def allocate(path):
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(tf.train, "load_checkpoint", allocate)
    with pytest.raises(DataError, match="std::bad_alloc"):
        newest_checkpoint(folder)


def test_only_what_saving_left_half_written_is_removed(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "part-0").touch()
    for name, file in (("ckpt-8_temp", "part-0"), ("ckpt-9_temp", "mine"), ("ckpt-x_temp", "part")):
        (folder / name).mkdir()
        (folder / name / file).touch()
    (folder / "ckpt-7_temp").symlink_to(elsewhere)
    remove_half_written(folder)
    assert (elsewhere / "part-0").exists()
    assert sorted(p.name for p in folder.glob("*_temp")) == [
        "ckpt-7_temp",
        "ckpt-9_temp",
        "ckpt-x_temp",
    ]
    assert saved_steps(folder) == [6, 4, 2]


# ---- In a run.


def run(out):
    strategy = training.make_strategy()
    stages = toy.stages()[:1]
    return training.train(
        toy.build, stages, toy.batches, training.Run(out), strategy, seed=0, options=OPTIONS
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    return out, run(out).get_weights()


@pytest.mark.parametrize("damage", ["data changed", "index gone", "list"])
def test_a_run_goes_on_to_the_same_bits(trained, tmp_path, damage, capfd):
    out, weights = trained
    (tmp_path / "checkpoints").mkdir()
    for path in (out / "checkpoints").iterdir():
        (tmp_path / "checkpoints" / path.name).write_bytes(path.read_bytes())
    if damage == "list":
        (tmp_path / "checkpoints/checkpoint").write_text("hello")
    else:
        DAMAGES[damage](tmp_path / "checkpoints")
    for wanted, found in zip(weights, run(tmp_path).get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    warned = "taking the one before" in (said := capfd.readouterr().err)
    assert warned == (damage != "list")
    assert "tensorflow" not in said
    assert newest_checkpoint(tmp_path / "checkpoints").endswith("ckpt-6")
    listed = tf.train.get_checkpoint_state(str(tmp_path / "checkpoints"))
    assert [path[-6:] for path in listed.all_model_checkpoint_paths] == [
        "ckpt-2",
        "ckpt-4",
        "ckpt-6",
    ]


def test_a_finished_run_without_checkpoints_does_not_begin_anew(tmp_path):
    training.Run(tmp_path).add_metrics(finished=True)
    with pytest.raises(DataError, match=r"is finished, .* and it has no checkpoint"):
        run(tmp_path)
