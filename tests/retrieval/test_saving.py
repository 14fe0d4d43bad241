import csv
import json

import numpy as np
import pytest

from tests.retrieval.by_definition import random_problem
from tfreid.errors import UsageError
from tfreid.retrieval import evaluate, save_rankings

QUERY_KEYS = np.array([f'set/query "{number}", é' for number in range(40)])
GALLERY_KEYS = np.array([f"set/gallery/{number:04d}" for number in range(90)])


@pytest.fixture(scope="module")
def lists():
    distances, query, gallery = random_problem(0, images=90)
    return evaluate([distances / 3], query, gallery, list_length=85).lists


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (r["query"], int(r["rank"]), r["gallery"], np.float32(r["distance"]), r["correct"])
            for r in csv.DictReader(file)
        ]


def read_json(path):
    return [
        (
            query["query"],
            image["rank"],
            image["gallery"],
            np.float32(image["distance"]),
            json.dumps(image["correct"]),
        )
        for query in json.loads(path.read_text(encoding="utf-8"))
        for image in query["images"]
    ]


@pytest.mark.parametrize(("ending", "read"), [(".csv", read_csv), (".JSON", read_json)])
def test_reads_back_as_it_was(ending, read, lists, tmp_path):
    path = tmp_path / "new" / f"rankings{ending}"
    save_rankings(path, lists, QUERY_KEYS, GALLERY_KEYS)
    # Some lists are shorter than others.
    expected = [
        (
            QUERY_KEYS[row],
            place + 1,
            GALLERY_KEYS[lists.indices[row, place]],
            lists.distances[row, place],
            "true" if lists.correct[row, place] else "false",
        )
        for row, place in np.argwhere(lists.indices >= 0)
    ]
    assert 0 < len(expected) < lists.indices.size
    assert read(path) == expected
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_to_list_is_an_empty_list(lists, tmp_path):
    save_rankings(tmp_path / "none.json", lists, [], [])
    assert json.loads((tmp_path / "none.json").read_text()) == []


def test_other_endings_are_refused(lists, tmp_path):
    with pytest.raises(UsageError, match=r"\.csv or \.json.*rankings\.txt"):
        save_rankings(tmp_path / "rankings.txt", lists, QUERY_KEYS, GALLERY_KEYS)
    assert not any(tmp_path.iterdir())


def test_an_interrupted_file_does_not_appear(lists, tmp_path):
    with pytest.raises(IndexError):
        save_rankings(tmp_path / "rankings.csv", lists, QUERY_KEYS, GALLERY_KEYS[:3])
    assert not (tmp_path / "rankings.csv").exists()
