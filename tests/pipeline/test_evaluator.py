import dataclasses
import json

import pytest

pytest.importorskip("tfx")
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from pipeline.config import Thresholds
from pipeline.evaluator.executor import Executor
from tfreid import evaluation
from tfreid.training import Run

LENIENT = Thresholds(min_rank1=0, min_mAP=0, max_regression=1, max_background_loss=None)


@pytest.fixture(scope="module")
def audits():
    """Where audits are kept, which are the same for all thresholds."""
    return {}


@pytest.fixture
def evaluate(model, examples, audits, tmp_path, monkeypatch):
    """Runs the executor; returns the evaluation's folder and the blessing."""
    audit = Executor._audit

    def audit_once(executor, name, *arguments):
        if name not in audits:
            audits[name] = audit(executor, name, *arguments)
        return audits[name]

    monkeypatch.setattr(Executor, "_audit", audit_once)

    def evaluate(thresholds, **inputs):
        evaluation = standard_artifacts.ModelEvaluation()
        blessing = standard_artifacts.ModelBlessing()
        for artifact in (evaluation, blessing):
            folder = tmp_path / artifact.type_name
            folder.mkdir()
            artifact.uri = str(folder)
        config = {"name": "dgd", "thresholds": dataclasses.asdict(thresholds), "seed": 0}
        Executor(Executor.Context()).Do(
            {"examples": [examples], "model": [model], **inputs},
            {"evaluation": [evaluation], "blessing": [blessing]},
            {"config": json.dumps(config)},
        )
        return tmp_path / evaluation.type_name, blessing

    return evaluate


def test_a_good_model_is_blessed(evaluate, model, dgd_run, reid_folder, tmp_path):
    """Beside the model that is served, on the same images: here that is the same model."""
    folder, blessing = evaluate(LENIENT, baseline_model=[model])
    metrics = json.loads((folder / "metrics.json").read_text())
    found = metrics["candidate"]
    (tested,) = evaluation.evaluation_sets(reid_folder)
    expected = evaluation.audit([Run(dgd_run).network], tested).metrics()
    for variant in evaluation.available_variants(reid_folder):
        assert found[variant] == pytest.approx(expected[variant])
    assert found["camera_pairs"] == expected["camera_pairs"]
    assert metrics["baseline"]["original"] == found["original"]
    assert {path.name for path in folder.iterdir()} == {"decision.json", "metrics.json", "report"}
    assert "served" in (folder / "report" / "index.html").read_text()

    for key, value in (
        (constants.ARTIFACT_PROPERTY_BLESSED_KEY, 1),
        (constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id),
        (constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, model.id),
    ):
        assert blessing.get_int_custom_property(key) == value
    assert (tmp_path / "ModelBlessing" / constants.BLESSED_FILE_NAME).is_file()


def test_a_bad_model_is_refused_with_the_reason(evaluate, tmp_path):
    folder, blessing = evaluate(dataclasses.replace(LENIENT, min_mAP=1.0))
    assert blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == 0
    assert (tmp_path / "ModelBlessing" / constants.NOT_BLESSED_FILE_NAME).is_file()
    message = blessing.get_string_custom_property(constants.ARTIFACT_PROPERTY_BLESSING_MESSAGE_KEY)
    assert message.startswith("mAP ")
    assert json.loads((folder / "decision.json").read_text())["failed"] == [message]
