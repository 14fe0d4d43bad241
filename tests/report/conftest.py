import shutil

import pytest
from toy_models import SIZE_PX, PersonModel, SceneryModel

from tfreid.records import DatasetFolder
from tfreid.report import Protocol, audit


@pytest.fixture(scope="session")
def audits(reid_folder):
    """Two models on all four variants."""
    protocol = Protocol(image_size_px=SIZE_PX, batch_size=16)
    return [
        audit(model(), reid_folder, protocol, name=name)
        for name, model in (("scenery <1>", SceneryModel), ("person", PersonModel))
    ]


@pytest.fixture(scope="session")
def folder_without_masks(reid_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "reid"
    shutil.copytree(reid_folder.path, path)
    text = (path / "dataset.json").read_text()
    (path / "dataset.json").write_text(text.replace('"with_mask": ', '"with_mask": -'))
    return DatasetFolder(path)
