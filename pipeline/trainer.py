"""TFX's Trainer over `tfreid.training`, with a second input for the parsing network's records."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

from tfx import types
from tfx.components.trainer import executor, fn_args_utils
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.io import fileio
from tfx.proto import trainer_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from pipeline.config import PipelineConfig, trained_recipe
from pipeline.storage import move, readable, single_uri, working_folder, writable
from tfreid import training
from tfreid.methods import METHODS
from tfreid.records import Records
from tfreid.serving.recommendation import Rates
from tfreid.serving.release import export_run

_PARSING_EXAMPLES = "parsing_examples"
_EXAMPLES = standard_component_specs.EXAMPLES_KEY


def run_fn(fn_args: fn_args_utils.FnArgs) -> None:
    """Trains and exports, as `python -m tfreid.train` does.

    Args:
      fn_args: `custom_config` is `PipelineConfig.training()` with the folders of the records;
        the run ends up in `model_run_dir`, the SavedModel in `serving_model_dir`.
    """
    config = fn_args.custom_config
    with contextlib.ExitStack() as stack:
        folders = {
            kind: Records(stack.enter_context(readable(uri)))
            for kind, uri in config["folders"].items()
        }

        def export(run: training.Run) -> None:
            with writable(fn_args.serving_model_dir) as path:
                export_run(
                    run,
                    path=path,
                    data=folders["reid"],  # The run may know a copy that is gone.
                    rates=Rates(far=config["far"]),
                    flip_averaging=config["flip_averaging"],
                )

        run = training.fit(
            METHODS[config["method"]],
            trained_recipe(config),
            folders,
            _resumable(config, folders),
            seed=config["seed"],
            precision=config["precision"],
            accumulate_steps=config["accumulate_steps"],
            deterministic=config["deterministic"],
            export=export,
        )
        if training.is_chief() and not fileio.exists(fn_args.serving_model_dir):
            export(run)  # It had ended in an execution that failed after that.
    if training.is_chief():
        move(run.path, fn_args.model_run_dir)


def _resumable(config: dict[str, Any], folders: dict[str, Records]) -> Path:
    """Returns a folder that an interrupted execution and its successor share.

    TFX gives every execution new folders, and clears those of one that failed.
    """
    fingerprints = {kind: folder.info.fingerprint for kind, folder in folders.items()}
    identity = {**config, "folders": fingerprints}
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=8)
    return working_folder(config["runs"]) / digest.hexdigest()


class Executor(executor.GenericExecutor):
    """TFX's executor, which tells `run_fn` where the records of each kind lie."""

    def _GetFnArgs(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> fn_args_utils.FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        keys = {"reid": _EXAMPLES, "parsing": _PARSING_EXAMPLES}
        fn_args.custom_config["folders"] = {
            kind: single_uri(input_dict, key) for kind, key in keys.items() if input_dict.get(key)
        }
        return fn_args


class ReidTrainerSpec(standard_component_specs.TrainerSpec):
    """TFX's specification with one more input."""

    INPUTS: ClassVar = {
        **standard_component_specs.TrainerSpec.INPUTS,
        _PARSING_EXAMPLES: component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
    }


class ReidTrainer(base_component.BaseComponent):
    """Trains the method of a pipeline and exports it."""

    SPEC_CLASS = ReidTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self, config: PipelineConfig, examples: dict[str, types.BaseChannel], version: str
    ):
        """Wires the component.

        Args:
          config: of the pipeline.
          examples: kind of records -> the channel of their examples.
          version: of tfreid; another one trains anew.
        """
        splits = ["train"]
        spec = ReidTrainerSpec(
            examples=examples["reid"],
            parsing_examples=examples.get("parsing"),
            run_fn=f"{run_fn.__module__}.{run_fn.__name__}",
            custom_config=json.dumps(config.training() | {"version": version}, sort_keys=True),
            train_args=trainer_pb2.TrainArgs(splits=splits),
            eval_args=trainer_pb2.EvalArgs(splits=splits),
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
        )
        super().__init__(spec=spec)
