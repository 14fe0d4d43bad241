"""The document of an audit, as `docs/audit.md` describes it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tfreid.evaluation import audit_document
from tfreid.evaluation.document import VERSION

DESCRIPTION = Path(__file__).parents[2] / "docs" / "audit.md"
# Whoever removes one of these, or changes what it means, gives the document another version.
TOP = {"format", "version", "made_by", "confidence", "draws", "seed", "models"}
TOP |= {"max_background_loss", "is_exceeded", "data_sets"}
DATA_SET = {"dataset", "data", "protocol", "reason", "counts", "masks", "masks_made_by"}
DATA_SET |= {"backgrounds", "models", "differences"}
MODEL = {"name", "figures", "persons", "intervals", "losses", "chance_rank1", "camera_pairs"}
MODEL |= {"matching", "attention", "occlusion", "verdict"}
INTERVAL = {"value", "low", "high", "is_degenerate"}
VERDICT = {"variant", "original_rank1", "changed_rank1", "loss", "persons", "sentence"}
LIMIT = {"is_exceeded", "interval_excludes_limit", "against_limit"}
DIFFERENCE = {"models", "variant", "persons", "losses", "sentence"}


@pytest.fixture(scope="module")
def document(audits):
    warnings = {"person": ["person: wrong order of colours?"]}
    found = audit_document({"market1501": audits}, "python -m tfreid.audit", 0.1, warnings)
    return json.loads(json.dumps(found, allow_nan=False))


def test_entries_are_those_of_its_version(document):
    assert document["version"] == VERSION == 1
    assert set(document) == TOP
    (data_set,) = document["data_sets"]
    assert set(data_set) == DATA_SET
    for model in data_set["models"]:
        assert set(model) == MODEL
        assert set(model["verdict"]) == VERDICT | LIMIT
        assert set(model["verdict"]["loss"]) == INTERVAL
        assert set(model["losses"]["mean_background"]) == {"rank1", "mAP"}
        assert set(model["intervals"]["original"]["rank1"]) == INTERVAL
    (difference,) = data_set["differences"]
    assert set(difference) == DIFFERENCE
    assert [model["warnings"] for model in document["models"]] == [
        [],
        ["person: wrong order of colours?"],
    ]


def test_every_entry_is_described():
    text = DESCRIPTION.read_text(encoding="utf-8")
    for name in TOP | DATA_SET | MODEL | INTERVAL | VERDICT | LIMIT | DIFFERENCE:
        assert f"`{name}`" in text or f'"{name}"' in text, name


def test_without_a_limit_nothing_is_exceeded(audits):
    document = audit_document({"market1501": audits[:1]})
    assert document["max_background_loss"] is document["is_exceeded"] is None
    assert set(document["data_sets"][0]["models"][0]["verdict"]) == VERDICT


def test_without_masks_there_is_no_verdict(audits):
    outcomes = {"original": audits[0].outcomes["original"]}
    alone = replace(audits[0], outcomes=outcomes)
    (model,) = audit_document({"market1501": [alone]})["data_sets"][0]["models"]
    assert model["verdict"] is None
    assert model["losses"] == {}
