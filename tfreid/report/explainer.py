"""Where a model looks in the queries of an audit."""

from collections.abc import Mapping

import keras
import numpy as np

from tfreid.inputs import InputSpec
from tfreid.report.attention import Explanation, explain
from tfreid.report.descriptors import Advance, Batched, Descriptors
from tfreid.report.evaluation_sets import EvaluationSet
from tfreid.report.measurement import Measurement
from tfreid.report.reconstruction_errors import ReconstructedPairs, reconstruct_pairs
from tfreid.retrieval import Ranking

EXPLAINED_IMAGES = 10
EXPLAINED_VARIANTS = ("original", "random_background")


class Explainer:
    """Shows where the model looks in some of the queries."""

    def __init__(
        self,
        model: keras.Model,
        tested: EvaluationSet,
        measurement: Measurement,
        advance: Advance,
    ):
        """Takes the model, the images, and who is told of the queries that it sees."""
        self._model, self._tested, self._measurement = model, tested, measurement
        self._advance = advance
        self._maps = Batched(model.explain, measurement.image_size_px, measurement.batch_size)
        places = np.random.default_rng(measurement.seed).permutation(len(tested.records["query"]))
        self._shown = places[:EXPLAINED_IMAGES]

    def explain(self, variant: str) -> Explanation:
        """Explains all queries of a variant and keeps the maps of those that are shown."""
        folder, seed = self._tested.folder, self._measurement.seed
        masks = "binary" if folder.info.has_masks("query") else None
        size = self._measurement.image_size_px
        spec = InputSpec(image_size_px=size, variant=variant, mask_vocabulary=masks)
        queries = self._tested.records["query"]
        return explain(self._maps, folder, "query", spec, self._shown, seed, self._advance, queries)

    def pairs(
        self,
        variant: str,
        query: Descriptors,
        gallery: Descriptors,
        outcomes: Mapping[str, Ranking],
        explanations: Mapping[str, Explanation],
    ) -> dict[str, ReconstructedPairs]:
        """Returns, under the variant, the shown queries beside what they found nearest.

        Nothing where descriptors were compared.
        """
        matching, size = self._measurement.matching, self._measurement.image_size_px
        if matching is None:
            return {}
        pairs = reconstruct_pairs(
            query,
            gallery,
            outcomes[variant].lists,
            self._shown,
            explanations[variant].images,
            lambda chosen: self._tested.images(
                "gallery", variant, chosen, size, self._measurement.seed
            ),
            self._model.patches(size),
            matching.beta,
        )
        return {variant: pairs}
