"""What ML Metadata says about the latest run of a pipeline."""

from collections.abc import Iterator
from dataclasses import dataclass

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

_STATES = metadata_store_pb2.Execution.State


@dataclass(frozen=True)
class NodeRun:
    """What one component did in a run.

    Attributes:
      component: its ID.
      state: `"COMPLETE"`, `"CACHED"`, `"FAILED"` and so on.
      outputs: custom properties of its output artifacts, by type of artifact.
      uris: where its output artifacts lie, by type of artifact.
    """

    component: str
    state: str
    outputs: dict[str, dict[str, str | int]]
    uris: dict[str, str]


def latest_run(metadata_path: str) -> list[NodeRun]:
    """Returns what the components of the latest run did, in their order.

    Args:
      metadata_path: SQLite file of the local runner.
    """
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = metadata_path
    store = ml_metadata.MetadataStore(config)
    runs = store.get_contexts_by_type("pipeline_run")
    return list(_node_runs(store, max(runs, key=lambda run: run.id).id)) if runs else []


def _node_runs(store: ml_metadata.MetadataStore, run: int) -> Iterator[NodeRun]:
    types = {found.id: found.name for found in store.get_artifact_types()}
    for execution in sorted(store.get_executions_by_context(run), key=lambda found: found.id):
        nodes = store.get_contexts_by_execution(execution.id)
        names = [node.name for node in nodes if node.type == "node"]
        events = store.get_events_by_execution_ids([execution.id])
        made = [e.artifact_id for e in events if e.type == metadata_store_pb2.Event.OUTPUT]
        artifacts = store.get_artifacts_by_id(made)
        yield NodeRun(
            names[0].split(".", 1)[1],
            _STATES.Name(execution.last_known_state),
            {types[artifact.type_id]: _custom_properties(artifact) for artifact in artifacts},
            {types[artifact.type_id]: artifact.uri for artifact in artifacts},
        )


def _custom_properties(artifact: metadata_store_pb2.Artifact) -> dict[str, str | int]:
    values = artifact.custom_properties
    return {name: getattr(v, v.WhichOneof("value")) for name, v in values.items()}
