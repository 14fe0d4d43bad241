"""Which model a candidate is compared with."""

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio

from tfreid.errors import DataError


class LatestOtherPushedModel(resolver.ResolverStrategy):
    """The model that is served, unless that is the candidate itself: then the one pushed before.

    A server takes the highest version that is there. TFX's `LatestBlessedModelStrategy` takes the
    model that was made last, whether it was pushed or not, and the candidate too, once it was
    blessed: a second run with nothing changed would then find its inputs changed.
    """

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Chooses among all models of the pipeline.

        Args:
          store: of the metadata.
          input_dict: `model` and `pushed_model`, all there are, and the `candidate`.

        Returns:
          `model` and `pushed_model` with one artifact each or none, and the `candidate`.
        """
        if len(input_dict["candidate"]) != 1:
            raise DataError(f"expected one candidate, found {len(input_dict['candidate'])}")
        (candidate,) = input_dict["candidate"]
        models = {model.id: model for model in input_dict["model"]}
        chosen = [
            (models[found], push)
            for push in _served_and_before(input_dict["pushed_model"])
            if (found := _pushed_by(store, push)) in models and found != candidate.id
        ]
        return {
            "model": [model for model, _ in chosen[:1]],
            "pushed_model": [push for _, push in chosen[:1]],
            "candidate": [candidate],
        }


def _served_and_before(pushes: list[types.Artifact]) -> list[types.Artifact]:
    """What is served and what was pushed before it, the latest first.

    A version that was removed, to serve an older one again, is passed over. Those below what is
    served count even so: the candidate was compared with one of them.
    """
    pushed = [push for push in pushes if push.get_int_custom_property("pushed")]
    latest_first = sorted(pushed, key=_version, reverse=True)
    for place, push in enumerate(latest_first):
        if fileio.exists(push.get_string_custom_property("pushed_destination")):
            return latest_first[place:]
    return []


def _version(push: types.Artifact) -> tuple[int, int]:
    return int(push.get_string_custom_property("pushed_version")), push.id


def _pushed_by(store: ml_metadata.MetadataStore, push: types.Artifact) -> int | None:
    """The ID of the model that was pushed, which only the Pusher's execution tells."""
    made = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([push.id])
        if event.type == metadata_store_pb2.Event.OUTPUT
    ]
    for event in store.get_events_by_execution_ids(made):
        if event.type == metadata_store_pb2.Event.INPUT and event.path.steps[0].key == "model":
            return event.artifact_id
    return None
