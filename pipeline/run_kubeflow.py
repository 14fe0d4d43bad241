"""Compile the pipeline for Kubeflow Pipelines or Vertex: writes its specification, runs nothing.

Paths are those that the containers see; Vertex mounts the bucket gs://NAME at /gcs/NAME. The
image is that of deploy/Dockerfile, or another that holds TFX and this package. Every field of the
method's recipe is a flag, as for tfreid.train. Beam options come after `--`.
"""

import json
from pathlib import Path

from absl import flags

from tfreid.cli import command  # before TensorFlow and TFX, whose start-up lines it silences

# isort: split
from pipeline import flags as pipeline_flags
from pipeline.config import PipelineConfig
from pipeline.resources import Specs, add_resources, parse_resources
from tfreid.errors import UsageError
from tfreid.files import write_text

flags.adopt_module_key_flags(pipeline_flags)

_IMAGE = flags.DEFINE_string("image", None, "Container image of all components.", required=True)
_OUT = flags.DEFINE_string(
    "out", "pipeline.yaml", "File to write: .yaml for Kubeflow, .json for Vertex."
)
_RESOURCES = flags.DEFINE_multi_string(
    "resources",
    [],
    "What a component may use, for example ReidTrainer:cpu=8,memory_gb=32,gpus=1; once for each.",
)


def main(beam_args: list[str]) -> None:
    """Compiles as the flags say."""
    config, out = pipeline_flags.config_from_flags(beam_args), Path(_OUT.value)
    if out.suffix not in (".yaml", ".json"):
        raise UsageError(f"--out={out}: expected a name that ends in .yaml or .json")
    resources = parse_resources(_RESOURCES.value, on_vertex=out.suffix == ".json")
    compile_pipeline(config, _IMAGE.value, out, resources)
    print(f"{config.name}: {config.data.name} in {config.data.root}; all output to {config.root}")
    print(f"wrote {out}")


def compile_pipeline(config: PipelineConfig, image: str, out: Path, resources: Specs) -> None:
    """Writes the specification of the pipeline.

    Args:
      config: what to run.
      image: container image of all components.
      out: file to write; `.yaml` gives a PipelineSpec, `.json` a PipelineJob.
      resources: what components ask for, as `parse_resources` returns it.

    Raises:
      UsageError: if one asks that there is not.
    """
    from pipeline import quiet  # Before TFX.

    quiet.install()
    import yaml
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

    from pipeline.pipeline import build

    runner = kubeflow.KubeflowV2DagRunner(
        kubeflow.KubeflowV2DagRunnerConfig(default_image=image, use_pipeline_spec_2_1=True)
    )
    job = runner.run(build(config, on_kubeflow=True), write_out=False)
    add_resources(job["pipelineSpec"], resources)
    is_job = out.suffix == ".json"
    write_text(
        out, json.dumps(job, sort_keys=True) if is_job else yaml.safe_dump(job["pipelineSpec"])
    )


if __name__ == "__main__":
    command.run(main, arguments="[-- BEAM_OPTIONS]", needs=pipeline_flags.NEEDS)
