"""The RetrievalEvaluator component: its inputs and outputs."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from pipeline.config import PipelineConfig
from pipeline.evaluator.executor import (
    BASELINE,
    BLESSING,
    CONFIG,
    EVALUATION,
    EXAMPLES,
    MODEL,
    Executor,
)


class RetrievalEvaluatorSpec(component_spec.ComponentSpec):
    """A model and labelled images in, an evaluation and a blessing out."""

    PARAMETERS: ClassVar = {CONFIG: component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        EXAMPLES: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        MODEL: component_spec.ChannelParameter(type=standard_artifacts.Model),
        BASELINE: component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS: ClassVar = {
        EVALUATION: component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        BLESSING: component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class RetrievalEvaluator(base_beam_component.BaseBeamComponent):
    """Measures an exported model's retrieval of persons and blesses it or not.

    TFX's Evaluator computes metrics example by example; CMC and mAP compare every query with the
    whole gallery. The outputs are TFX's own kinds, so its Pusher and resolvers understand them.
    """

    SPEC_CLASS = RetrievalEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        config: PipelineConfig,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
    ):
        """Wires the component.

        Args:
          config: of the pipeline.
          examples: re-identification records with splits `query` and `gallery`.
          model: the candidate.
          baseline_model: the served model; may hold none.
        """
        super().__init__(
            RetrievalEvaluatorSpec(
                config=config.evaluation(),
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
