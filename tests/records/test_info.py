import json

import pytest

from tfreid.datasets import Split
from tfreid.errors import DataError
from tfreid.records.info import DATASET_JSON, RecordsInfo, SourceInfo, SplitInfo

INFO = RecordsInfo(
    name="viper_market1501",
    kind="reid",
    schema_version=1,
    splits={"train": SplitInfo(records=4, persons=2, cameras=2, shards=1, with_mask=0)},
    num_persons=2,
    num_cameras=2,
    mean_pixel=(1.0, 2.0, 3.5),
    mask_vocabulary="",
    synthetic=False,
    fingerprint="00",
    person_labels={"viper": {3: 0}, "market1501": {7: 1}},
    camera_labels={"viper": {1: 0}, "market1501": {1: 1}},
    made_by={"seed": 0},
    sources={
        "viper": SourceInfo({"use": "splits"}, "random_half", Split(2, 10, 0, (1, 2)), {"why": 9}),
        "market1501": SourceInfo(),
    },
)

SPLIT = {"records": 4, "persons": 2, "cameras": 2, "shards": 1, "with_mask": 0}


def test_is_read_as_it_was_written(tmp_path):
    INFO.write(tmp_path)
    assert RecordsInfo.read(tmp_path) == INFO


def test_reads_folders_that_do_not_say_how_they_were_read(tmp_path):
    INFO.write(tmp_path)
    values = json.loads((tmp_path / DATASET_JSON).read_text())
    del values["sources"], values["checksum"]  # As an earlier release wrote it.
    (tmp_path / DATASET_JSON).write_text(json.dumps(values))
    assert RecordsInfo.read(tmp_path).sources == {}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sources": {"viper": {"split": {"index": 1}}}}, "sources.viper.split has no field of"),
        ({"sources": {"viper": "viper"}}, "sources.viper: expected SourceInfo, found 'viper'"),
        ({"sources": {"viper": {"protocol": "mine"}}}, "protocol of viper: expected one of"),
        ({"splits": []}, "splits: expected dict"),
        ({"splits": {"train": {"records": 4}}}, "splits.train has no field persons"),
        ({"splits": {"../train": SPLIT}}, "expected names that files can have"),
        ({"splits": {"train": SPLIT | {"records": -1}}}, "the counts of train cannot be"),
        ({"splits": {"train": SPLIT | {"with_mask": 5}}}, "the counts of train cannot be"),
        ({"splits": {"train": SPLIT | {"shards": 10**9}}}, "expected 1 to 99,999 shards"),
        ({"splits": {"train": SPLIT | {"shards": 0}}}, "expected 1 to 99,999 shards"),
        ({"name": "a/b"}, "expected names that files can have, found 'a/b'"),
        ({"name": ""}, "expected names that files can have, found ''"),
        ({"kind": "rows"}, "kind: expected one of reid, parsing, found 'rows'"),
        ({"mask_vocabulary": "lip"}, "mask_vocabulary: expected one of"),
        ({"mean_pixel": [1, 2]}, "mean_pixel: expected tuple"),
        ({"mean_pixel": [1, 2, 256]}, "mean_pixel: expected values from 0 to 255"),
        ({"mean_pixel": [1, 2, float("nan")]}, "mean_pixel: expected float, found nan"),
        ({"num_persons": 10**9}, "person_labels: expected each of"),
        ({"num_persons": True}, "num_persons: expected int, found True"),
        ({"person_labels": {"viper": {"3": 0}, "market1501": {"7": 0}}}, "person_labels: expected"),
        ({"camera_labels": {"viper": {"x": 0}}}, "a key of camera_labels.viper: expected int"),
        ({"synthetic": "no"}, "synthetic: expected bool, found 'no'"),
        ({"more": 1}, "it has an unknown field 'more'"),
    ],
)
def test_refuses_what_cannot_be(tmp_path, changes, text):
    INFO.write(tmp_path)
    values = json.loads((tmp_path / DATASET_JSON).read_text()) | changes
    del values["checksum"]
    (tmp_path / DATASET_JSON).write_text(json.dumps(values))
    with pytest.raises(DataError, match="is not the description of a converted data") as caught:
        RecordsInfo.read(tmp_path)
    assert text in str(caught.value)


def test_a_changed_value_is_not_another_result(tmp_path):
    INFO.write(tmp_path)
    path = tmp_path / DATASET_JSON
    path.write_text(path.read_text().replace("3.5", "3.6"))
    with pytest.raises(DataError, match=r"dataset\.json is damaged: its contents are not those"):
        RecordsInfo.read(tmp_path)
