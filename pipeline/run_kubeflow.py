"""Compile the pipeline for Kubeflow Pipelines or Vertex: writes its specification, runs nothing.

Paths are those that the containers see; Vertex mounts the bucket gs://NAME at /gcs/NAME. The
image must hold TFX and this package. Every field of the method's recipe is a flag, as for
tfreid.train. Beam options come after `--`.
"""

from pathlib import Path

from absl import flags

from tfreid.cli import command  # before TensorFlow and TFX, whose start-up lines it silences

# isort: split
from pipeline import flags as pipeline_flags
from pipeline.config import PipelineConfig
from tfreid.errors import UsageError
from tfreid.files import completed_file

flags.adopt_module_key_flags(pipeline_flags)

_IMAGE = flags.DEFINE_string("image", None, "Container image of all components.", required=True)
_OUT = flags.DEFINE_string(
    "out", "pipeline.yaml", "File to write: .yaml for Kubeflow, .json for Vertex."
)


def main(beam_args: list[str]) -> None:
    """Compiles as the flags say."""
    config, out = pipeline_flags.config_from_flags(beam_args), Path(_OUT.value)
    if out.suffix not in (".yaml", ".json"):
        raise UsageError(f"--out={out}: expected a name that ends in .yaml or .json")
    compile_pipeline(config, _IMAGE.value, out)
    print(f"{config.name}: {config.data.name} in {config.data.root}; all output to {config.root}")
    print(f"wrote {out}")


def compile_pipeline(config: PipelineConfig, image: str, out: Path) -> None:
    """Writes the specification of the pipeline.

    Args:
      config: what to run.
      image: container image of all components.
      out: file to write; `.yaml` gives a PipelineSpec, `.json` a PipelineJob.
    """
    from pipeline import quiet  # Before TFX.

    quiet.install()
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

    from pipeline.pipeline import build

    with completed_file(out) as partial:  # TFX tells the format by the ending, which both have.
        runner = kubeflow.KubeflowV2DagRunner(
            kubeflow.KubeflowV2DagRunnerConfig(default_image=image, use_pipeline_spec_2_1=True),
            output_dir=str(partial.parent),
            output_filename=partial.name,
        )
        runner.run(build(config, on_kubeflow=True))


if __name__ == "__main__":
    command.run(main, arguments="[-- BEAM_OPTIONS]", needs=pipeline_flags.NEEDS)
