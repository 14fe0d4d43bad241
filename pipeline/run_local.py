"""Run the pipeline on this machine: convert, validate, train, evaluate, check, push.

Everything it makes is under --root: artifacts, ML Metadata (SQLite) and the pushed versions in
serving_model/, which a model server watches. A bucket (gs://, s3://) needs --metadata too. What has
not changed since an earlier run is not done again. Every field of the method's recipe is a flag, as
for tfreid.train. Beam options come after `--`.
"""

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfreid.cli import command  # before TensorFlow and TFX, whose start-up lines it silences

# isort: split
from absl import flags

from pipeline import flags as pipeline_flags
from pipeline.config import PipelineConfig, require_splits
from pipeline.evaluator.decision import unmeasurable
from pipeline.flags import NEEDS, READS
from tfreid.errors import UsageError
from tfreid.files import require_writable
from tfreid.masks import mask_maker
from tfreid.training import StoppedBySignal

if TYPE_CHECKING:
    from pipeline.history import NodeRun

flags.adopt_module_key_flags(pipeline_flags)

_METADATA = flags.DEFINE_string(
    "metadata", None, "SQLite file of ML Metadata; in --root unless given."
)


def main(beam_args: list[str]) -> int:
    """Runs the pipeline as the flags say."""
    config = dataclasses.replace(
        pipeline_flags.config_from_flags(beam_args),
        metadata=_METADATA.value and os.path.abspath(_METADATA.value),
    )
    for data in config.datasets.values():
        _ = data.reading  # What is wrong with a folder is said before TFX is loaded.
    require_splits(config.data)
    if config.parser:
        mask_maker(config.parser)  # So is a network that is not there.
    if config.metadata:
        require_writable(Path(config.metadata).parent)
    if "://" not in config.root:
        os.makedirs(config.root, exist_ok=True)
    elif not config.metadata:
        raise UsageError(
            f"--root={config.root}: ML Metadata needs a file of this machine, such as "
            f"--metadata={config.name}.sqlite: give that too"
        )
    print(f"{config.name}: {config.data.name} in {config.data.root}; all output to {config.root}")
    if missing := unmeasurable(config):
        print(f"the model will be trained, and not blessed: {missing}")
    try:
        nodes = run(config)
    except StoppedBySignal as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    from pipeline.summary import summary

    print(summary(nodes, config.push_destination))
    return 0


def run(config: PipelineConfig) -> "list[NodeRun]":
    """Runs the pipeline.

    Returns:
      What each component did.

    Raises:
      UsageError: if `root` is an address that cannot be used.
      UsageError, DataError, TrainingError: what a component raised.
      StoppedBySignal: if training was stopped.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    from pipeline import quiet  # Before TFX.

    quiet.install()
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from pipeline.history import latest_run
    from pipeline.infra_check import docker_is_running
    from pipeline.pipeline import build, metadata_path
    from pipeline.storage import require_store

    require_store(config.root)
    with_docker = "://" not in config.root and docker_is_running()
    LocalDagRunner().run(build(config, with_docker=with_docker))
    return latest_run(metadata_path(config))


def _leave(status: int) -> None:
    """Ends at once if TensorFlow I/O is there: its s3:// aborts what ends as usual."""
    if "tensorflow_io" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    try:
        command.run(main, arguments="[-- BEAM_OPTIONS]", needs=NEEDS, reads=READS)
    except SystemExit as end:
        _leave(end.code)
        raise
