"""The command `python -m tfreid.convert`."""

import io
import json
import subprocess
import sys
from functools import partial

import numpy as np
import PIL.Image
import pytest

from tests.commands import run_command, run_here
from tests.datasets.miniatures import MINIATURES
from tfrecords_schema import schema
from tfreid import convert
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records import Records


@pytest.fixture
def run(monkeypatch):
    """Runs the command in this process: keyword arguments are flags, the others Beam's."""
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")

    return partial(run_here, convert.main)


def market(data, out, **changes):
    given = {
        "dataset": ["market1501"],
        "data_root": [str(data / "market1501")],
        "masks_root": [str(data / "masks")],
        "mask_vocabulary": "lip20",
        "out": str(out),
    }
    return given | changes


def test_says_what_it_does_and_what_it_wrote(raw_data, tmp_path, run, capsys):
    out = tmp_path / "out"
    run(**market(raw_data, out, backgrounds_root=str(raw_data / "backgrounds")))
    printed = capsys.readouterr().out
    assert "market1501: 48 train, 12 query, 26 gallery records" in printed
    assert "training labels: 8 persons, 2 cameras" in printed
    assert "train: 48 records in 4 shards, 48 with mask" in printed
    assert f"wrote {out}/: TFRecord shards, backgrounds, dataset.json" in printed
    folder = Records(out)
    assert folder.info.made_by["command"].startswith("python -m tfreid.convert")
    assert len(folder.backgrounds()) == 3


def test_joint_set(raw_data, tmp_path, run):
    (tmp_path / "own" / "train").mkdir(parents=True)
    train = raw_data / "market1501" / "bounding_box_train"
    for person in ("anna", "berta"):
        folder = tmp_path / "own" / "train" / person / "front"
        folder.mkdir(parents=True)
        for image in sorted(train.iterdir())[:2]:
            (folder / image.name).write_bytes(image.read_bytes())
    given = market(
        raw_data,
        tmp_path / "out",
        dataset=["market1501", "folder"],
        data_root=[str(raw_data / "market1501"), str(tmp_path / "own")],
        masks_root=[str(raw_data / "masks"), ""],
    )
    run(**given)
    info = Records(tmp_path / "out").info
    assert info.name == "market1501_folder"
    assert info.splits["train"].records == 48 + 4
    assert info.splits["train"].with_mask == 48
    assert sorted(info.person_labels["folder"].values()) == [8, 9]


def test_says_which_masks_become_coarser(tmp_path, run, capsys):
    names = ["lip", "human_parsing"]
    roots = [str(MINIATURES[name](tmp_path)) for name in names]
    run(dataset=names, data_root=roots, out=str(tmp_path / "out"), split_seed=3)
    printed = capsys.readouterr().out
    assert "lip_human_parsing: 12 train, 2 val records" in printed
    assert "human_parsing: drawn with seed 3" in printed
    assert "lip: masks in lip20 become regions4" in printed
    assert "human_parsing: masks in atr18 become regions4" in printed


def test_synthetic_data_bring_their_backgrounds_and_are_marked(raw_data, tmp_path, run):
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    for name in ("market1501", "backgrounds"):
        (drawn / name).symlink_to(raw_data / name)
    (drawn / "synthetic.json").write_text(json.dumps({"synthetic": True}))
    for root in ("market1501", ""):
        out = tmp_path / f"out{root}"
        run(dataset=["market1501"], data_root=[str(drawn / root)], out=str(out))
        folder = Records(out)
        assert folder.info.synthetic
        assert sorted(path.name for path in folder.backgrounds()) == [
            "000.jpg",
            "001.jpg",
            "002.jpg",
        ]


def test_beam_options_reach_the_runner(raw_data, tmp_path, run):
    with pytest.raises(ValueError, match="NoSuchRunner"):
        run("--runner=NoSuchRunner", **market(raw_data, tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_misuse(raw_data, tmp_path, run):
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="did you mean market1501"):
        run(**market(raw_data, out, dataset=["market"]))
    with pytest.raises(MissingPathError):
        run(**market(raw_data, out, data_root=[str(tmp_path / "nowhere")]))
    with pytest.raises(UsageError, match="masks_root needs mask_vocabulary"):
        run(**market(raw_data, out, mask_vocabulary=None))
    with pytest.raises(UsageError, match="2 --dataset, 1 --data_root and 1 --masks_root given"):
        run(**market(raw_data, out, dataset=["market1501", "folder"]))
    with pytest.raises(UsageError, match="market1501 has fixed splits"):
        run(**market(raw_data, out, split_seed=1))
    with pytest.raises(UsageError, match=r"copies need masks \(masks_root\) and backgrounds"):
        run(**market(raw_data, out, masks_root=[], offline_random_background=1))
    assert not out.exists()


def test_empty_split(raw_data, tmp_path, run):
    root = tmp_path / "market1501"
    for name in ("bounding_box_train", "query", "bounding_box_test"):
        (root / name).mkdir(parents=True)
    with pytest.raises(DataError, match="bounding_box_train"):
        run(**market(raw_data, tmp_path / "out", data_root=[str(root)], masks_root=[]))


@pytest.mark.slow
def test_exit_codes(raw_data, tmp_path):
    def status(*arguments):
        command = [sys.executable, "-m", "tfreid.convert", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    given = ["--dataset=market1501", f"--out={tmp_path}/out", f"--data_root={raw_data}/market1501"]
    code, _, errors = status(*given[:2], f"--data_root={tmp_path}")
    assert code == 2
    assert errors.startswith("error: ")
    code, printed, errors = status(*given, "--", "--direct_num_workers=1")
    assert code == 0, errors
    assert "86 records" in printed
    assert "Traceback" not in errors
    assert "Warning" not in errors
    code, _, errors = status(*given)
    assert code == 2
    assert errors == f"error: {tmp_path}/out exists: remove it, or choose another folder\n"


@pytest.mark.slow
def test_parser_makes_the_masks_that_are_missing(raw_data, parsing_run, tmp_path):
    out = tmp_path / "out"
    source = ("--dataset=market1501", f"--data_root={raw_data / 'market1501'}")
    done = run_command("convert", *source, f"--parser={parsing_run}", f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert f"masks of 86 records by {parsing_run}" in done.stdout
    assert "train: 48 records in 4 shards, 48 with mask" in done.stdout
    folder = Records(out)
    assert folder.info.mask_vocabulary == "regions4"
    parser = {"run": str(parsing_run), "vocabulary": "regions4"}
    assert folder.info.made_by["parser"] == parser
    record = schema.decode("reid", folder.store("query").read(np.array([0]))[0])
    mask = PIL.Image.open(io.BytesIO(record["mask/encoded"]))
    from tfreid.masks import mask_maker  # Only here: it brings TensorFlow.

    (expected,) = mask_maker(parsing_run)([record["image/encoded"]])
    np.testing.assert_array_equal(np.asarray(mask), expected)


def test_network_of_a_file_makes_masks_where_it_is_confident(tmp_path, run, capsys):
    from tests.masks.networks import write_lite  # Only here: it brings TensorFlow.

    network = write_lite(tmp_path / "net.tflite", lambda x: x, (1, 8, 8, 3))
    description = {"vocabulary": "binary", "classes": [0, 0, 1]}
    (tmp_path / "net.tflite.json").write_text(json.dumps(description))
    for person, colour in (("anna", (0, 0, 255)), ("ben", (0, 0, 255)), ("wall", (255, 0, 0))):
        path = tmp_path / "own" / "train" / person / "1.png"
        path.parent.mkdir(parents=True)
        PIL.Image.new("RGB", (10, 20), colour).save(path)
    out = tmp_path / "out"
    data = {"dataset": ["folder"], "data_root": [str(tmp_path / "own")]}
    run(**data, out=str(out), parser=str(network))
    printed = capsys.readouterr().out
    assert f"masks of 3 records by {network}" in printed
    assert "train: 3 records in 3 shards, 2 with mask" in printed
    assert "WARNING: 1 without mask, as no person was found with confidence:" in printed
    assert "folder/train/wall/1: the person is 0.0% of the image" in printed
    assert str(out / "unmasked.jsonl") in printed
    info = Records(out).info
    assert not info.has_masks("train")
    assert (info.mask_vocabulary, info.made_by["unmasked"]) == ("binary", 1)
    assert info.made_by["parser"]["network"] == str(network)


@pytest.mark.parametrize("installed", [True, False])
def test_says_where_backgrounds_come_from(raw_data, tmp_path, run, capsys, monkeypatch, installed):
    if installed:
        pytest.importorskip("cv2")
    else:
        monkeypatch.setitem(sys.modules, "cv2", None)
    run(**market(raw_data, tmp_path / "out"))
    printed = capsys.readouterr().out
    if installed:
        assert "  backgrounds: the pictures themselves, without their persons" in printed
        assert "48 for training, 37 for the test" in printed
    else:
        assert "none, so no random ones: give --backgrounds_root, or python -m pip" in printed
        assert not (tmp_path / "out" / "backgrounds").exists()


@pytest.mark.slow
def test_run_without_parser_is_refused(raw_data, dgd_run, tmp_path, run):
    given = market(raw_data, tmp_path / "out", masks_root=[], parser=str(dgd_run))
    with pytest.raises(UsageError, match="has no parsing network"):
        run(**given)
    assert not (tmp_path / "out").exists()


def test_says_what_is_passed_over_and_too_large(tmp_path, run, capsys):
    for place in ("train/anna/1.png", "train/anna/2.gif", "train/ben/1.png", "more/anna/1.png"):
        path = tmp_path / "own" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        side = 40 if "ben" in place else 20
        PIL.Image.new("RGB", (side, side)).save(path)
    given = {"dataset": ["folder"], "data_root": [str(tmp_path / "own")]}
    run(**given, out=str(tmp_path / "out"), max_image_mpx=0.001, max_reject_fraction=0.5)
    passed_over = "WARNING: folder: files passed over: 1 *.gif in train/, 1 *.png in more/\n"
    assert passed_over in capsys.readouterr().out
    reject = json.loads((tmp_path / "out" / "rejects.jsonl").read_text())
    assert reject["key"] == "folder/train/ben/1"
    assert "40x40 pixels, more than the 0.001 million" in reject["reason"]
