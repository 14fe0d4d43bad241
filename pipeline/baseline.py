"""Which model a candidate is compared with."""

import ml_metadata
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver

from tfreid.errors import DataError


class LatestOtherBlessedModel(resolver.ResolverStrategy):
    """The latest blessed model that is not the candidate itself.

    TFX's `LatestBlessedModelStrategy` gives the candidate too, once it was blessed. A second run
    with nothing changed would then compare it with itself, find its inputs changed, and push it
    again.
    """

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Chooses among all models of the pipeline.

        Args:
          store: of the metadata.
          input_dict: `model` and `model_blessing`, all there are, and the `candidate`.

        Returns:
          `model` and `model_blessing` with one artifact each or none, and the `candidate`.
        """
        if len(input_dict["candidate"]) != 1:
            raise DataError(f"expected one candidate, found {len(input_dict['candidate'])}")
        (candidate,) = input_dict["candidate"]
        blessings = {
            blessing.get_int_custom_property(
                constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
            ): blessing
            for blessing in input_dict["model_blessing"]
            if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
        }
        blessed = [m for m in input_dict["model"] if m.id in blessings and m.id != candidate.id]
        latest = sorted(blessed, key=lambda model: model.id)[-1:]
        return {
            "model": latest,
            "model_blessing": [blessings[model.id] for model in latest],
            "candidate": [candidate],
        }
