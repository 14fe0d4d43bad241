"""The audit command, on a run of one step and on descriptors of other systems."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands import run_command
from tfreid.datasets import rows_of
from tfreid.evaluation import evaluation_sets
from tfreid.inputs import VARIANTS, resize_image
from tfreid.training import Run


@pytest.fixture(scope="module")
def pictures(reid_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("audit") / "pictures"
    done = run_command("audit", f"--data={reid_folder.path}", f"--write_images={out}")
    assert done.returncode == 0, done.stderr
    assert f"wrote {out}: 152 pictures and their list, images.csv" in done.stdout
    return out


@pytest.fixture(scope="module")
def descriptors(pictures, dgd_run):
    """A folder with what the run gives for the pictures, as another system would read them."""
    network = Run(dgd_run).network
    with (pictures / "images.csv").open(newline="") as file:
        files = [row["file"] for row in csv.DictReader(file)]
    images = [resize_image(np.asarray(Image.open(pictures / f)), (32, 16)) for f in files]
    np.save(pictures / "all.npy", network.outputs(np.stack(images))["embedding"].numpy())
    return pictures


@pytest.fixture(scope="module")
def audited(dgd_run, reid_folder, descriptors, tmp_path_factory):
    """The audit of the run beside that of its own descriptors."""
    out = tmp_path_factory.mktemp("audit") / "out"
    done = run_command(
        "audit",
        f"--model={dgd_run}",
        f"--descriptors={descriptors},name=other system",
        f"--data={reid_folder.path}",
        f"--out={out}",
        "--batch_size=32",
        "--max_background_loss=1",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, out


def test_it_prints_and_writes_the_verdict(audited):
    printed, out = audited
    for words in (
        "market1501: protocol market",
        "other system, market1501",
        "95% interval",
        "dgd: On random background images rank-1",
        "6 persons are few",
        "points is within the limit of 100.0",
        f"wrote {out}/audit.json, {out}/index.html, {out}/badge-1.svg, {out}/badge-2.svg",
    ):
        assert words in printed, words
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "python -m tfreid.audit" in page
    assert "occlusion map" in page
    assert "other system: descriptors of" in page
    assert "background loss: " in (out / "badge-1.svg").read_text()


def test_the_document(audited, reid_folder):
    document = json.loads((audited[1] / "audit.json").read_text())
    assert (document["format"], document["version"]) == ("tfreid.audit", 1)
    assert [model["name"] for model in document["models"]] == ["dgd", "other system"]
    assert (document["max_background_loss"], document["is_exceeded"]) == (1.0, False)
    (found,) = document["data_sets"]
    assert found["dataset"] == "market1501"
    assert found["data"]["fingerprint"] == reid_folder.info.fingerprint
    assert found["masks"] == {"query": 12, "gallery": 26}
    assert [set(model["figures"]) for model in found["models"]] == [{*VARIANTS}] * 2
    own, other = found["models"]
    assert own["occlusion"]["images"] == 10
    assert other["occlusion"] is None
    assert own["persons"] == 6
    assert own["verdict"]["loss"] == own["losses"]["random_background"]["rank1"]
    assert own["verdict"]["is_exceeded"] is False
    (difference,) = found["differences"]
    assert difference["models"] == ["dgd", "other system"]


def test_descriptors_give_the_figures_of_the_network(audited):
    own, other = json.loads((audited[1] / "audit.json").read_text())["data_sets"][0]["models"]
    for variant in ("original", "random_background"):
        assert other["figures"][variant] == pytest.approx(own["figures"][variant])
    for variant in ("mean_background", "background_only"):  # The mean pixel is rounded in pictures.
        assert other["figures"][variant]["mAP"] == pytest.approx(
            own["figures"][variant]["mAP"], abs=0.02
        )


def test_a_larger_loss_ends_with_1(descriptors, reid_folder, tmp_path):
    # Descriptors that know the person, but before another background.
    (tested,) = evaluation_sets(reid_folder)
    folder = tmp_path / "descriptors"
    folder.mkdir()
    random = np.random.default_rng(0)
    for variant in ("original", "random_background"):
        for split in ("query", "gallery"):
            person = tested.identities(split)[0].person
            values = np.eye(20)[person]
            if variant != "original":
                values = random.random(values.shape)
            np.savetxt(folder / f"{variant}-{split}.csv", values, delimiter=",")
    done = run_command(
        "audit",
        f"--descriptors={folder}",
        f"--data={reid_folder.path}",
        f"--out={tmp_path / 'out'}",
        "--variants=original,random_background",
        "--max_background_loss=0.1",
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert re.search(r"loss of \d+\.\d points is above the limit of 10\.0, and the", done.stdout)
    document = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert document["is_exceeded"] is True
    verdict = document["data_sets"][0]["models"][0]["verdict"]
    assert verdict["interval_excludes_limit"] is True
    assert (tmp_path / "out" / "badge.svg").is_file()


def refused(*arguments):
    done = run_command("audit", *arguments)
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


def test_a_limit_that_cannot_be_tested_fails(descriptors, reid_folder, tmp_path):
    np.save(tmp_path / "all.npy", np.load(descriptors / "all.npy")[:38])
    code, text = refused(
        f"--descriptors={tmp_path}",
        f"--data={reid_folder.path}",
        "--variants=original",
        "--max_background_loss=0.1",
        f"--out={tmp_path / 'out'}",
    )
    assert code == 1
    assert "cannot be tested" in text
    assert not (tmp_path / "out").exists()


def test_a_list_of_other_data_is_refused(descriptors, folder_without_masks, tmp_path):
    out = f"--out={tmp_path / 'out'}"
    code, text = refused(f"--descriptors={descriptors}", f"--data={folder_without_masks.path}", out)
    assert code == 1
    assert "lists 152 pictures, these data and variants have 38" in text


def test_two_models_of_one_name_are_refused(descriptors, reid_folder, tmp_path):
    twice = [f"--descriptors={descriptors}"] * 2
    code, text = refused(*twice, f"--data={reid_folder.path}", f"--out={tmp_path / 'out'}")
    assert code == 2
    assert "two models are called pictures" in text


def test_pictures_are_not_written_over_others(pictures, reid_folder):
    code, text = refused(f"--data={reid_folder.path}", f"--write_images={pictures}")
    assert code == 2
    assert "exists" in text


@pytest.mark.slow
def test_a_folder_of_crops_is_converted_once(raw_data, dgd_run, tmp_path):
    people, masks = tmp_path / "people", tmp_path / "masks"
    for row in rows_of("market1501", raw_data / "market1501", raw_data / "masks"):
        if row.split != "train" and row.person_id > 0:
            place = Path(f"person{row.person_id}", f"camera{row.camera_id}", row.key.split("/")[-1])
            for root, path in ((people, row.image_path), (masks, row.mask_path)):
                target = root / place.with_suffix(Path(path).suffix)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(Path(path).read_bytes())
    arguments = (
        f"--model={dgd_run}",
        f"--data_root={people}",
        f"--masks_root={masks}",
        "--mask_vocabulary=lip20",
        f"--backgrounds_root={raw_data / 'backgrounds'}",
        f"--out={tmp_path / 'audit'}",
    )
    done = run_command("audit", *arguments)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "audit" / "audit.json").read_text())
    (found,) = document["data_sets"]
    # All persons are tested, as nothing is trained on any.
    assert found["models"][0]["persons"] == 6
    assert set(found["models"][0]["figures"]) == {*VARIANTS}
    done = run_command("audit", *arguments)
    assert done.returncode == 0, done.stderr
    assert "converted before of the same files" in done.stdout
    next(people.rglob("*.jpg")).unlink()
    done = run_command("audit", *arguments)
    assert done.returncode == 2
    assert "was converted of other files or with other flags" in done.stderr


@pytest.mark.slow
def test_what_fails_in_the_conversion_is_said_once(dgd_run, tmp_path):
    (tmp_path / "people" / "anna").mkdir(parents=True)
    done = run_command(
        "audit",
        f"--model={dgd_run}",
        f"--data_root={tmp_path / 'people'}",
        f"--out={tmp_path / 'a'}",
    )
    assert done.returncode == 1
    assert not (tmp_path / "a" / "audit.json").exists()
