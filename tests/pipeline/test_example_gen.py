import dataclasses
import json
import os
import shutil
import time

import pytest

pytest.importorskip("tfx")
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils

from pipeline.config import PipelineConfig
from pipeline.example_gen import Executor, image_example_gen
from tests.masks.networks import write_lite
from tfreid.datasets import SplitChoice
from tfreid.methods import METHODS
from tfreid.records import ImageSet, Records


def config(raw_data, data):
    return PipelineConfig(
        root=str(raw_data.parent / "pipeline"),
        method="dgd",
        recipe=METHODS["dgd"].demo(),
        data=data,
        backgrounds_root=str(raw_data / "backgrounds"),
    )


def market(raw_data):
    return ImageSet("market1501", raw_data / "market1501", raw_data / "masks", "lip20")


def fingerprint(component):
    """What TFX's driver compares between runs."""
    splits = json.loads(component.exec_properties["input_config"])["splits"]
    return [io_utils.generate_fingerprint(split["name"], split["pattern"]) for split in splits]


def test_the_artifact_is_a_converted_data_set_and_tfx_examples(raw_data, reid_folder, tmp_path):
    component = image_example_gen(config(raw_data, market(raw_data)), "reid")
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    Executor(Executor.Context()).Do({}, {"examples": [examples]}, component.exec_properties)
    folder = Records(examples.uri)
    assert folder.info.fingerprint == reid_folder.info.fingerprint
    assert len(folder.backgrounds()) == 3
    splits = artifact_utils.decode_split_names(examples.split_names)
    assert sorted(splits) == ["gallery", "query", "train"]
    for split in splits:
        shards = sorted(os.listdir(artifact_utils.get_split_uri([examples], split)))
        assert shards == [shard.name for shard in folder.shards(split)]


def test_the_split_reaches_the_conversion(raw_data, tmp_path):
    for image in (raw_data / "market1501" / "bounding_box_train").iterdir():
        person = tmp_path / "people" / image.name[:4]
        person.mkdir(parents=True, exist_ok=True)
        shutil.copy2(image, person)
    data = ImageSet("folder", tmp_path / "people", split=SplitChoice(seed=3))
    component = image_example_gen(config(raw_data, data), "reid")
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    Executor(Executor.Context()).Do({}, {"examples": [examples]}, component.exec_properties)
    assert Records(examples.uri).info.sources["folder"].split == data.info.split
    assert data.info.split.seed == 3


def test_the_parser_makes_the_masks_and_is_watched(raw_data, tmp_path):
    network = write_lite(tmp_path / "net.tflite", lambda x: x, (1, 8, 8, 3))
    description = {"vocabulary": "regions4", "classes": [1, 0, 2]}
    (tmp_path / "net.tflite.json").write_text(json.dumps(description))
    data = ImageSet("market1501", raw_data / "market1501")
    asked = dataclasses.replace(config(raw_data, data), parser=str(network))
    component = image_example_gen(asked, "reid")
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    Executor(Executor.Context()).Do({}, {"examples": [examples]}, component.exec_properties)
    info = Records(examples.uri).info
    assert info.mask_vocabulary == "regions4"
    assert info.made_by["parser"]["network"] == str(network)
    assert sum(split.with_mask for split in info.splits.values()) + info.made_by["unmasked"] == 86
    for watched in (network, tmp_path / "net.tflite.json"):
        before = fingerprint(component)
        os.utime(watched, (time.time() + 5, time.time() + 5))
        assert fingerprint(component) != before


@pytest.mark.parametrize("change", ["rename", "rewrite", "remove", "mask"])
def test_changed_files_change_the_fingerprint(raw_data, tmp_path, change):
    copy = tmp_path / "raw [2024]*"
    shutil.copytree(raw_data, copy, copy_function=shutil.copy2)
    component = image_example_gen(config(copy, market(copy)), "reid")
    before = fingerprint(component)
    assert before == fingerprint(component)
    image = next((copy / "market1501" / "query").iterdir())
    later = time.time() + 5
    if change == "rename":
        image.rename(image.with_name("0999_c1s1_000001_01.jpg"))
        os.utime(image.parent, (later, later))
    elif change == "remove":
        image.unlink()
    else:
        mask = copy / "masks" / "query" / f"{image.stem}.png"
        os.utime(mask if change == "mask" else image, (later, later))
    assert fingerprint(component) != before
