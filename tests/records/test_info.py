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


def test_is_read_as_it_was_written(tmp_path):
    INFO.write(tmp_path)
    assert RecordsInfo.read(tmp_path) == INFO


def test_reads_folders_that_do_not_say_how_they_were_read(tmp_path):
    INFO.write(tmp_path)
    values = json.loads((tmp_path / DATASET_JSON).read_text())
    del values["sources"]
    (tmp_path / DATASET_JSON).write_text(json.dumps(values))
    assert RecordsInfo.read(tmp_path).sources == {}


@pytest.mark.parametrize("damage", [{"protocol": "market"}, {"split": {"index": 1}}, "viper"])
def test_refuses_a_damaged_description(tmp_path, damage):
    INFO.write(tmp_path)
    values = json.loads((tmp_path / DATASET_JSON).read_text())
    values["sources"] = {"viper": damage}
    (tmp_path / DATASET_JSON).write_text(json.dumps(values))
    with pytest.raises(DataError, match="is not the description of a converted data set"):
        RecordsInfo.read(tmp_path)
