"""The components, wired: from images to a pushed model."""

from tfx import types
from tfx.components import ExampleValidator, Pusher, StatisticsGen
from tfx.dsl.components.base import base_component
from tfx.dsl.components.common import resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration import pipeline
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts

import tfreid
from pipeline.anomalies import StopOnAnomalies
from pipeline.baseline import LatestOtherPushedModel
from pipeline.config import PipelineConfig
from pipeline.evaluator.component import RetrievalEvaluator
from pipeline.example_gen import image_example_gen
from pipeline.infra_check import infra_check
from pipeline.record_schema import RecordSchema, schema_text
from pipeline.trainer import ReidTrainer


def build(
    config: PipelineConfig, *, with_docker: bool = False, on_kubeflow: bool = False
) -> pipeline.Pipeline:
    """Returns the pipeline.

    Args:
      config: what to run.
      with_docker: check the model with the TF Serving image rather than with the local server.
      on_kubeflow: use Kubeflow's or Vertex's metadata and the resolver that they know.
    """
    components, stops = [], []
    examples = {}
    for kind in config.datasets:
        generator = image_example_gen(config, kind)
        examples[kind] = generator.outputs["examples"]
        *validation, stop = _validation(config, kind, examples[kind])
        components += [generator, *validation, stop]
        stops.append(stop)
    trainer = ReidTrainer(config, examples, tfreid.__version__)
    trainer.add_upstream_nodes(stops)
    model = trainer.outputs["model"]
    baseline = _latest_blessed() if on_kubeflow else _latest_pushed(model)
    evaluator = RetrievalEvaluator(config, examples["reid"], model, baseline.outputs["model"])
    check = infra_check(config, model, examples["reid"], with_docker)
    pusher = Pusher(
        model=model,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=check.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=config.push_destination)
        ),
    )
    return pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=f"{config.root}/artifacts",
        components=[*components, trainer, baseline, evaluator, check, pusher],
        enable_cache=config.cache,
        metadata_connection_config=(
            None if on_kubeflow else sqlite_metadata_connection_config(metadata_path(config))
        ),
        beam_pipeline_args=list(config.beam_args),
    )


def metadata_path(config: PipelineConfig) -> str:
    """Returns the path of the SQLite file with the ML Metadata of the local runner."""
    return config.metadata or f"{config.root}/metadata.sqlite"


def _latest_pushed(candidate: types.BaseChannel) -> resolver.Resolver:
    """Finds the model to compare with."""
    return resolver.Resolver(
        strategy_class=LatestOtherPushedModel,
        model=types.Channel(type=standard_artifacts.Model),
        pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        candidate=candidate,
    ).with_id("ServedModel")


def _latest_blessed() -> resolver.Resolver:
    """Finds it on Kubeflow, which knows TFX's own strategies only."""
    return resolver.Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("LatestBlessedModel")


def _validation(
    config: PipelineConfig, kind: str, examples: types.BaseChannel
) -> list[base_component.BaseComponent]:
    """Returns the components that check records; the last one stops the run."""
    given = config.schema if kind == "reid" else None
    schema = RecordSchema(text=schema_text(kind, given))
    statistics = StatisticsGen(examples=examples)
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    stop = StopOnAnomalies(anomalies=validator.outputs["anomalies"])
    parts = {"RecordSchema": schema, "StatisticsGen": statistics, "ExampleValidator": validator}
    named = [part.with_id(f"{name}-{kind}") for name, part in parts.items()]
    return [*named, stop.with_id(f"StopOnAnomalies-{kind}")]
