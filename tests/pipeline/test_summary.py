import json

import pytest

pytest.importorskip("tfx")
from pipeline.history import NodeRun
from pipeline.summary import summary


@pytest.fixture
def ended(tmp_path):
    """Returns the lines that end a run; its Pusher pushed version 100, or did not."""
    (tmp_path / "metrics.json").write_text(
        json.dumps(
            {
                "candidate": {"original": {"rank1": 0.8125, "mAP": 0.5}},
                "baseline": {"original": {"rank1": 0.75}},
            }
        )
    )

    def ended(state, blessed=1, servable=1):
        pushed = {"pushed": 0}
        if blessed and servable:
            pushed = {"pushed": 1, "pushed_destination": str(tmp_path / "served" / "100")}
        outputs = {
            "ModelEvaluation": {},
            "ModelBlessing": {"blessed": blessed, "blessing_message": "because"},
            "InfraBlessing": {"blessed": servable},
            "PushedModel": pushed,
        }
        outputs["Model"] = {}
        nodes = [
            NodeRun(kind, state, {kind: values}, {kind: str(tmp_path)})
            for kind, values in outputs.items()
        ]
        return summary(nodes, str(tmp_path / "served")).splitlines()

    return ended


def versions(tmp_path, *names, model=b"another"):
    for name in names:
        (tmp_path / "served" / name).mkdir(parents=True)
        (tmp_path / "served" / name / "fingerprint.pb").write_bytes(model)


def test_a_run_that_pushes_says_what_and_where(ended, tmp_path):
    assert ended("COMPLETE") == [
        "0 of 5 components were answered from earlier runs",
        "the model: rank-1 81.2%, mAP 50.0%",
        "the served model, on the same images: rank-1 75.0%",
        "blessed: because",
        "servable",
        f"pushed to {tmp_path}/served/100",
        f"report: {tmp_path}/report/index.html",
    ]


def test_a_run_that_does_not_push_says_why(ended, tmp_path):
    for refused, words in (
        ({"blessed": 0}, "not blessed"),
        ({"servable": 0}, "not servable"),
        ({"blessed": 0, "servable": 0}, "not blessed and not servable"),
    ):
        lines = ended("COMPLETE", **refused)
        assert f"not pushed, as it is {words}: {tmp_path}/served stays as it is" in lines
        assert lines[-1] == f"report: {tmp_path}/report/index.html"


@pytest.mark.parametrize(
    ("model", "more"), [(b"this", ", with this model as version 100"), (b"another", "")]
)
def test_a_refused_model_that_is_served_is_named(ended, tmp_path, model, more):
    (tmp_path / "Format-Serving").mkdir()
    (tmp_path / "Format-Serving" / "fingerprint.pb").write_bytes(b"this")
    versions(tmp_path, "99", "100", model=model)
    stays = f"{tmp_path}/served stays as it is{more}"
    assert f"not pushed, as it is not blessed: {stays}" in ended("CACHED", blessed=0)


def test_a_push_of_an_earlier_run_is_not_called_a_new_one(ended, tmp_path):
    versions(tmp_path, "99", "100", "notes")
    assert f"pushed earlier: {tmp_path}/served/100" in ended("CACHED")


def test_another_version_that_is_served_instead_is_named(ended, tmp_path):
    versions(tmp_path, "100", "1000")
    (line,) = (line for line in ended("CACHED") if line.startswith("pushed"))
    assert line.startswith(f"pushed earlier: {tmp_path}/served/100, but a server takes the highest")
    assert "version, 1000" in line


@pytest.mark.parametrize("others", [["99"], []])
def test_a_version_that_was_removed_is_missed(ended, tmp_path, others):
    versions(tmp_path, *others)
    (line,) = (line for line in ended("CACHED") if line.startswith("pushed"))
    assert "which is not there any more" in line
    assert "--nocache" in line
