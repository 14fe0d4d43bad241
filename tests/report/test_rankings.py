import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from tfreid.errors import UsageError
from tfreid.evaluation import Measurement, audit, evaluation_sets
from tfreid.records import Records
from tfreid.records.info import SourceInfo
from tfreid.report import check_rankings_path, write_rankings


def rows_of_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_variant_has_its_file(audits, tmp_path):
    person = audits[1]
    written = write_rankings(tmp_path / "nearest.csv", [person], length=3)
    assert [path.name for path in written] == [f"nearest-{name}.csv" for name in person.outcomes]
    for path, outcome in zip(written, person.outcomes.values(), strict=True):
        rows = rows_of_csv(path)
        assert len(rows) == 12 * 3
        lists = outcome.lists
        for row, index in zip(rows[::3], lists.indices[:, 0], strict=True):
            assert row["gallery"] == person.gallery_keys[index]
            assert row["gallery_person"] == str(person.gallery.person[index])
            assert row["gallery_camera"] == str(person.gallery.camera[index])
        assert {row["query"] for row in rows[:3]} == {person.query_keys[0]}
        assert [np.float32(row["distance"]) for row in rows[:3]] == lists.distances[0, :3].tolist()


def test_persons_and_cameras_have_their_names(audits, tmp_path):
    tested, query = audits[1].tested, audits[1].query
    number, camera = int(query.person[0]), int(query.camera[0])
    source = SourceInfo(person_names={number: "anna"}, camera_names={camera: "hall"})
    records = Records(tested.folder.path)
    records.info = replace(records.info, sources={tested.dataset: source})
    result = replace(
        audits[1],
        tested=replace(tested, folder=records),
        outcomes={"original": audits[1].outcomes["original"]},
    )
    write_rankings(tmp_path / "nearest.csv", [result], length=2)
    first = rows_of_csv(tmp_path / "nearest.csv")[0]
    assert (first["query_person"], first["query_camera"]) == ("anna", "hall")
    write_rankings(tmp_path / "nearest.json", [result], length=2)
    first = json.loads((tmp_path / "nearest.json").read_text())[0]
    assert (first["person"], first["camera"]) == ("anna", "hall")
    named = {image["person"] for image in first["images"] if image["correct"]}
    assert named <= {"anna"}


def test_one_variant_has_the_file_asked_for(audits, tmp_path):
    original = {"original": audits[1].outcomes["original"]}
    path = tmp_path / "nearest.json"
    assert write_rankings(path, [replace(audits[1], outcomes=original)], length=2) == [path]
    first = json.loads(path.read_text())[0]
    assert first["query"] == audits[1].query_keys[0]
    assert [image["rank"] for image in first["images"]] == [1, 2]


def test_each_data_set_has_its_file(joint_folder, person, tmp_path):
    measurement = Measurement(list_length=30)
    results = [audit(person, tested, measurement) for tested in evaluation_sets(joint_folder)]
    written = write_rankings(tmp_path / "nearest.csv", results, length=30)
    assert [path.name for path in written] == ["nearest-market1501.csv", "nearest-shots.csv"]
    for path, result in zip(written, results, strict=True):
        # All valid images: 26 less one junk and two by the query's camera; 17 less two.
        counts = {"market1501": 12 * 23, "shots": 8 * 15}
        assert len(rows_of_csv(path)) == counts[result.tested.dataset]
        assert f"{result.tested.dataset}/" in path.read_text()


def test_file_that_cannot_be_written_is_refused_at_once(tmp_path):
    check_rankings_path(tmp_path / "nearest.csv")
    with pytest.raises(UsageError, match=r"must end in \.csv or \.json"):
        check_rankings_path(tmp_path / "nearest.txt")
