import pytest

pytest.importorskip("tfx")
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import artifact_utils, standard_artifacts

from pipeline.anomalies import StopOnAnomalies
from tfreid.errors import DataError


@pytest.fixture
def found(tmp_path):
    """ExampleValidator's output for two splits without anomalies."""
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri = str(tmp_path)
    artifact.split_names = artifact_utils.encode_split_names(["train", "query"])
    for split in ("train", "query"):
        (tmp_path / f"Split-{split}").mkdir()
        write(tmp_path, split, anomalies_pb2.Anomalies())
    return artifact


def write(folder, split, anomalies):
    (folder / f"Split-{split}" / "SchemaDiff.pb").write_bytes(anomalies.SerializeToString())


def test_an_anomaly_stops_the_run_and_is_named(found, tmp_path):
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["image/height"].description = "Values below 64: 32"
    write(tmp_path, "query", anomalies)
    with pytest.raises(DataError, match="query: image/height: Values below 64: 32"):
        StopOnAnomalies.test_call(anomalies=found)
    write(tmp_path, "query", anomalies_pb2.Anomalies())
    StopOnAnomalies.test_call(anomalies=found)  # good records pass


def test_an_anomaly_of_a_whole_split_stops_the_run(found, tmp_path):
    anomalies = anomalies_pb2.Anomalies()
    anomalies.dataset_anomaly_info.description = "too few examples"
    write(tmp_path, "train", anomalies)
    with pytest.raises(DataError, match="train: the whole split: too few examples"):
        StopOnAnomalies.test_call(anomalies=found)
