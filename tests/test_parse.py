"""The parse command, with a parsing network of one step."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.commands import run_command
from tests.datasets.occluded_miniatures import partial_reid
from tests.masks.networks import write_lite
from tfreid.datasets import rows_of


@pytest.mark.slow
def test_masks_mirror_the_images_and_fit_the_conversion(parsing_run, raw_data, tmp_path):
    root, masks = raw_data / "market1501", tmp_path / "masks"
    source = ("--dataset=market1501", f"--data_root={root}")
    done = run_command("parse", f"--parser={parsing_run}", *source, f"--out={masks}")
    assert done.returncode == 0, done.stderr
    rows = rows_of("market1501", root, masks)
    assert f"{len(rows)} masks" in done.stdout
    for row in rows:
        mask = Image.open(row.mask_path)
        assert mask.size == Image.open(row.image_path).size
        assert mask.mode == "L"
        assert np.asarray(mask).max() <= 3
    converted = run_command(
        "convert",
        *source,
        f"--masks_root={masks}",
        "--mask_vocabulary=regions4",
        f"--out={tmp_path / 'converted'}",
    )
    assert converted.returncode == 0, converted.stderr
    assert "0 rejected" in converted.stdout


def test_image_that_cannot_be_decoded_is_named_and_left_out(parsing_run, tmp_path):
    people = tmp_path / "people" / "train" / "1"
    people.mkdir(parents=True)
    Image.new("RGB", (16, 32)).save(people / "good.jpg")
    (people / "bad.jpg").write_text("not an image")
    source = ("--dataset=folder", f"--data_root={tmp_path / 'people'}")
    out = tmp_path / "masks"
    done = run_command("parse", f"--run={parsing_run}", *source, f"--out={out}")
    assert done.returncode == 0, done.stderr
    reason = f"the image is no JPEG or PNG or BMP or TIFF or WEBP file: {people / 'bad.jpg'}"
    assert f"warning: no mask of folder/train/1/bad: {reason}" in done.stderr
    assert [path.name for path in out.rglob("*.png")] == ["good.png"]


@pytest.mark.slow
def test_choices_of_a_data_set_are_taken(parsing_run, tmp_path):
    root, out = partial_reid(tmp_path), tmp_path / "masks"
    source = ("--dataset=partial_reid:occluded", f"--data_root={root}")
    done = run_command("parse", f"--run={parsing_run}", *source, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png")) == [
        "occluded_body_images/001_001.png",
        *(f"whole_body_images/00{person}_00{n}.png" for person in (1, 2) for n in (1, 2)),
    ]


def test_misuse_is_explained(dgd_run, raw_data, tmp_path):
    source = ("--dataset=market1501", f"--data_root={raw_data / 'market1501'}")
    done = run_command("parse", f"--run={dgd_run}", *source, f"--out={tmp_path / 'masks'}")
    assert done.returncode == 2
    assert "has no parsing network" in done.stderr
    assert not (tmp_path / "masks").exists()


def test_images_of_which_a_network_is_not_confident_are_listed(tmp_path):
    network = write_lite(tmp_path / "net.tflite", lambda x: x, (1, 8, 8, 3))
    description = {"vocabulary": "binary", "classes": [0, 0, 1]}
    (tmp_path / "net.tflite.json").write_text(json.dumps(description))
    people = tmp_path / "people" / "train" / "1"
    people.mkdir(parents=True)
    for name, colour in (("person", (0, 0, 255)), *((f"empty{i}", (255, 0, 0)) for i in range(5))):
        Image.new("RGB", (16, 32), colour).save(people / f"{name}.png")
    source = ("--dataset=folder", f"--data_root={tmp_path / 'people'}")
    out = tmp_path / "masks"
    done = run_command("parse", f"--parser={network}", *source, f"--out={out}")
    assert done.returncode == 0, done.stderr
    reason = "the person is 0.0% of the image"
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning")]
    keys = [f"folder/train/1/empty{i}" for i in range(5)]
    assert lines == [f"warning: no mask of {key}: {reason}" for key in keys[:3]]
    assert f"not confident of 5 images, which have no mask: {out / 'unmasked.jsonl'}" in done.stdout
    assert [path.name for path in out.rglob("*.png")] == ["person.png"]
    listed = map(json.loads, (out / "unmasked.jsonl").read_text().splitlines())
    assert [*listed] == [{"key": key, "reason": reason} for key in keys]


@pytest.mark.parametrize("flags", [(), ("--run=a", "--parser=b")])
def test_one_parser_is_wanted(tmp_path, flags):
    source = ("--dataset=folder", f"--data_root={tmp_path}", f"--out={tmp_path / 'masks'}")
    done = run_command("parse", *flags, *source)
    assert done.returncode == 2
    assert done.stderr.startswith("error: give --parser: mediapipe_pose, a run, or a .tflite or")
