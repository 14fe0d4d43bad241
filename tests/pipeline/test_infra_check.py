import shutil

import pytest

pytest.importorskip("tfx")
from tfx.components import InfraValidator
from tfx.types import Channel, standard_artifacts

from pipeline import infra_check
from pipeline.config import PipelineConfig
from pipeline.infra_check import LocalServerCheck
from tfreid.methods import METHODS
from tfreid.records import ImageSet


def checked(model, examples, tmp_path):
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(tmp_path / "blessing")
    (tmp_path / "blessing").mkdir()
    LocalServerCheck.test_call(model=model, examples=examples, blessing=blessing)
    (file,) = (tmp_path / "blessing").iterdir()
    return (
        blessing.get_int_custom_property("blessed"),
        file.name,
        blessing.get_string_custom_property("blessing_message"),
    )


def test_a_model_that_answers_is_blessed(model, examples, tmp_path):
    assert checked(model, examples, tmp_path) == (
        1,
        "INFRA_BLESSED",
        "the local server answered for 8 images",
    )


def test_a_model_that_cannot_be_loaded_is_not(model, examples, tmp_path):
    serving = tmp_path / "model" / "Format-Serving"
    copy = tmp_path / "copy"
    shutil.copytree(serving, copy)
    (copy / "saved_model.pb").write_bytes(b"no graph")
    serving.unlink()
    serving.symlink_to(copy)
    blessed, file, message = checked(model, examples, tmp_path)
    assert (blessed, file) == (0, "INFRA_NOT_BLESSED")
    assert message


def test_with_docker_the_image_is_started(raw_data):
    config = PipelineConfig(
        "/out", "dgd", METHODS["dgd"].demo(), ImageSet("market1501", raw_data / "market1501")
    )
    channels = (Channel(standard_artifacts.Model), Channel(standard_artifacts.Examples))
    component = infra_check.infra_check(config, *channels, with_docker=True)
    assert isinstance(component, InfraValidator)
    assert "tensorflow/serving" in component.exec_properties["serving_spec"]
    assert "2.19.1" in component.exec_properties["serving_spec"]
