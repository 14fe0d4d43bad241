"""`import tfreid`: light, lazy, and found wherever it is imported from."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import tfreid
from tfreid import front_door
from tfreid.errors import DataError, UsageError
from tfreid.evaluation import Measurement
from tfreid.methods import METHODS
from tfreid.records import Records


def python(code: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout.strip()


def test_importing_loads_next_to_nothing():
    code = "import sys, tfreid; print({'tensorflow', 'numpy', 'apache_beam'} & {*sys.modules})"
    assert python(code) == "set()"


def test_names_are_loaded_when_they_are_used():
    assert {*tfreid.__all__} <= {*dir(tfreid)}
    for name in tfreid.__all__:
        assert getattr(tfreid, name).__name__ == name if name != "METHODS" else tfreid.METHODS
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tfreid.nothing


def test_the_package_is_found_above_a_clone_of_its_name(tmp_path):
    """The clone's folder, without `__init__.py`, must not stand where the package should."""
    (tmp_path / "tfreid" / "serving").mkdir(parents=True)
    code = "import tfreid.cli.command, pipeline; print(tfreid.__file__)"
    assert python(code, tmp_path) == tfreid.__file__


def test_images_are_converted_once(raw_data, tmp_path):
    images = tfreid.ImageSet("market1501", raw_data / "market1501")
    scenes = raw_data / "backgrounds"
    records = front_door.convert_images(images, tmp_path / "out", backgrounds_root=scenes)
    assert records.info.splits["train"].records == 48
    assert len(records.backgrounds()) == len(list(scenes.iterdir()))
    again = front_door.convert_images(images, tmp_path / "out")
    assert again.info == records.info


def test_masks_are_made_by_whatever_makes_masks(raw_data, tmp_path):
    class Half:
        """Calls the lower half a person."""

        name, vocabulary, facts = "half", "binary", {"network": "half"}

        def __call__(self, images):
            return [self.mask(PIL.Image.open(io.BytesIO(image))) for image in images]

        def mask(self, image):
            mask = np.zeros((image.height, image.width), np.uint8)
            mask[image.height // 2 :] = 1
            return mask

    images = tfreid.ImageSet("market1501", raw_data / "market1501")
    records = front_door.convert_images(images, tmp_path / "out", parser=Half())
    assert (records.info.mask_vocabulary, records.info.has_masks("query")) == ("binary", True)
    assert records.info.made_by["parser"] == {"network": "half"}
    with pytest.raises(UsageError, match="parser=halves: expected one of mediapipe_pose"):
        front_door.convert_images(images, tmp_path / "other", parser="halves")


def test_misuse_is_refused(reid_folder):
    with pytest.raises(UsageError, match="method='dgg' is not known: use one of dgd"):
        front_door.train_method("dgg", reid_folder)
    with pytest.raises(UsageError, match="scale='tiny' is not known"):
        front_door.train_method(METHODS["dgd"], reid_folder, scale="tiny")
    with pytest.raises(UsageError, match="has no field 'colour'"):
        front_door.train_method("dgd", reid_folder, recipe={"colour": 1})


def test_descriptors_of_any_system_are_measured(reid_folder):
    records = Records(reid_folder.path)
    descriptors = {}
    for split in ("query", "gallery"):
        person = records.store(split).columns(("person/id",))["person/id"]
        descriptors["original", split] = np.eye(20)[person]
    network = front_door.described_network("knows all", descriptors, records)
    (result,) = front_door.measure([network], records, Measurement(("original",)))
    assert result.metrics()["original"]["rank1"] == 1
    assert result.verdict is None
    descriptors["original", "query"] = descriptors["original", "query"][:5]
    with pytest.raises(DataError, match=r"knows all, original query: expected 12 rows"):
        front_door.described_network("knows all", descriptors, records)
    with pytest.raises(UsageError, match=r"networks=function: expected networks.*open_network"):
        front_door.measure([lambda images: images], records)
