import pytest

pytest.importorskip("tfx")
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from pipeline.baseline import LatestOtherBlessedModel


def model(number):
    artifact = standard_artifacts.Model()
    artifact.id = number
    return artifact


def blessing(of, blessed):
    artifact = standard_artifacts.ModelBlessing()
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, of)
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
    return artifact


def resolved(candidate, models, blessings):
    found = LatestOtherBlessedModel().resolve_artifacts(
        None,
        {
            "model": [model(number) for number in models],
            "model_blessing": [blessing(*given) for given in blessings],
            "candidate": [model(candidate)],
        },
    )
    assert len(found["model"]) == len(found["model_blessing"])
    return [artifact.id for artifact in found["model"]]


def test_the_latest_blessed_model_is_found():
    assert resolved(9, [1, 5, 7, 9], [(1, 1), (5, 1), (7, 0)]) == [5]


def test_the_candidate_is_not_compared_with_itself():
    assert resolved(5, [1, 5], [(1, 1), (5, 1)]) == [1]
    assert resolved(5, [5], [(5, 1)]) == []


def test_a_first_model_has_none_to_be_compared_with():
    assert resolved(5, [5], []) == []
