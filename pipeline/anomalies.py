"""Stops a run whose records do not follow the schema, before anything is trained on them."""

from pathlib import Path

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts

from pipeline.storage import readable
from tfreid.errors import DataError

_FILE = "SchemaDiff.pb"


@component
def StopOnAnomalies(anomalies: InputArtifact[standard_artifacts.ExampleAnomalies]):
    """Fails when ExampleValidator found anomalies; that component itself only writes them down.

    Args:
      anomalies: what it found.

    Raises:
      DataError: naming split, feature and what is wrong with it.
    """
    with readable(anomalies.uri) as root:
        listed = [
            f"\n  {split}: {feature}: {info.description}"
            for split in artifact_utils.decode_split_names(anomalies.split_names)
            for feature, info in _read(root / f"Split-{split}" / _FILE).items()
        ]
    if listed:
        raise DataError(
            "the records do not follow the schema, so nothing is trained on them:"
            f"{''.join(listed)}\nCorrect the data, or give a schema that allows this. "
            f"The anomalies are in {anomalies.uri}"
        )


def _read(path: Path) -> dict[str, anomalies_pb2.AnomalyInfo]:
    anomalies = anomalies_pb2.Anomalies.FromString(path.read_bytes())
    found = dict(anomalies.anomaly_info)
    if anomalies.HasField("dataset_anomaly_info"):
        found["the whole split"] = anomalies.dataset_anomaly_info
    return found
