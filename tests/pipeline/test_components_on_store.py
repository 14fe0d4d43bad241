"""Our components where artifacts lie on an object store."""

import json
import shutil

import pytest

pytest.importorskip("tfx")
import tensorflow as tf
from object_store import ObjectStore, files
from test_evaluator import LENIENT
from tfx.components.evaluator import constants
from tfx.types import artifact_utils, standard_artifacts

from pipeline import storage
from pipeline.config import PipelineConfig
from pipeline.evaluator import executor as evaluating
from pipeline.example_gen import Executor as ExampleGen
from pipeline.example_gen import image_example_gen
from pipeline.infra_check import LocalServerCheck
from pipeline.record_schema import RecordSchema
from tfreid.methods import METHODS
from tfreid.records import ImageSet, Records


def artifact(kind, uri):
    made = kind()
    made.uri = uri
    return made


@pytest.fixture
def uploaded(store, reid_folder, dgd_run, tmp_path):
    """Examples and a model, as the components before would have left them there."""
    for source, name in ((reid_folder.path, "examples"), (dgd_run / "export" / "1", "model")):
        shutil.copytree(source, tmp_path / name)
    storage.move(tmp_path / "examples", f"{store}/examples")
    storage.move(tmp_path / "model", f"{store}/model/Format-Serving")
    return (
        artifact(standard_artifacts.Examples, f"{store}/examples"),
        artifact(standard_artifacts.Model, f"{store}/model"),
    )


def test_records_are_converted_to_it(store, raw_data, reid_folder):
    data = ImageSet("market1501", raw_data / "market1501", raw_data / "masks", "lip20")
    scenes = str(raw_data / "backgrounds")
    config = PipelineConfig(store, "dgd", METHODS["dgd"].demo(), data, backgrounds_root=scenes)
    component = image_example_gen(config, "reid")
    examples = artifact(standard_artifacts.Examples, f"{store}/examples/1")
    ExampleGen(ExampleGen.Context()).Do({}, {"examples": [examples]}, component.exec_properties)
    assert ObjectStore.written[-1] == f"{examples.uri}/dataset.json"
    with storage.readable(examples.uri) as path:
        folder = Records(path)
        assert folder.info.fingerprint == reid_folder.info.fingerprint
        for split in artifact_utils.decode_split_names(examples.split_names):
            shards = files(artifact_utils.get_split_uri([examples], split))
            assert shards == [shard.name for shard in folder.shards(split)]


def test_a_model_is_served_from_it(store, uploaded):
    examples, model = uploaded
    blessing = artifact(standard_artifacts.InfraBlessing, f"{store}/blessing")
    LocalServerCheck.test_call(model=model, examples=examples, blessing=blessing)
    assert files(blessing.uri) == ["INFRA_BLESSED"]


def test_a_schema_is_written_to_it(store):
    schema = artifact(standard_artifacts.Schema, f"{store}/schema")
    RecordSchema.test_call(text="feature {}", schema=schema)
    assert tf.io.gfile.GFile(f"{store}/schema/schema.pbtxt").read() == "feature {}"


@pytest.mark.slow
def test_a_model_is_measured_from_it(store, uploaded):
    examples, model = uploaded
    evaluation = artifact(standard_artifacts.ModelEvaluation, f"{store}/evaluation")
    blessing = artifact(standard_artifacts.ModelBlessing, f"{store}/blessing")
    config = {"name": "dgd", "thresholds": vars(LENIENT), "seed": 0}
    evaluating.Executor(evaluating.Executor.Context()).Do(
        {"examples": [examples], "model": [model]},
        {"evaluation": [evaluation], "blessing": [blessing]},
        {"config": json.dumps(config)},
    )
    assert files(evaluation.uri) == ["decision.json", "metrics.json", "report/index.html"]
    assert f"{evaluation.uri}/decision.json" == ObjectStore.written[-2]
    assert files(blessing.uri) == [constants.BLESSED_FILE_NAME]
