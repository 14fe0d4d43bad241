"""Whether the exported model can be loaded by a server and answers.

Where Docker is running, TFX's InfraValidator starts the TF Serving image with the model; TF Serving
replays the model's warm-up requests before it reports the model as available, and refuses it if
one fails. Elsewhere the local server takes its place and is asked for some test images.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import docker
import numpy as np
from tfx import types
from tfx.components import InfraValidator
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base import base_component
from tfx.proto import infra_validator_pb2
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from pipeline.config import PipelineConfig
from pipeline.storage import readable, writable
from tfrecords_schema import schema
from tfreid.errors import DataError, ServingError, UsageError
from tfreid.records import Records
from tfreid.serving.client import ReidClient
from tfreid.serving.server import LocalServer

MESSAGE = "blessing_message"
_ID = "InfraCheck"
_IMAGES_TO_ASK = 8
_UNIT_TOLERANCE = 1e-3


def infra_check(
    config: PipelineConfig, model: types.BaseChannel, examples: types.BaseChannel, with_docker: bool
) -> base_component.BaseComponent:
    """Returns the component that emits the `blessing`.

    Args:
      config: of the pipeline.
      model: what to check.
      examples: re-identification records with a split `query`.
      with_docker: start the TF Serving image rather than the local server.
    """
    if not with_docker:
        return LocalServerCheck(model=model, examples=examples).with_id(_ID)
    image, _, tag = config.serving_image.partition(":")
    serving = infra_validator_pb2.TensorFlowServing(image_name=image, tags=[tag or "latest"])
    return InfraValidator(
        model=model,
        serving_spec=infra_validator_pb2.ServingSpec(
            tensorflow_serving=serving, local_docker=infra_validator_pb2.LocalDockerConfig()
        ),
    ).with_id(_ID)


def docker_is_running() -> bool:
    """Returns whether a Docker daemon answers."""
    try:
        return docker.from_env().ping()
    except docker.errors.DockerException:
        return False


@component
def LocalServerCheck(
    model: InputArtifact[standard_artifacts.Model],
    examples: InputArtifact[standard_artifacts.Examples],
    blessing: OutputArtifact[standard_artifacts.InfraBlessing],
):
    """Blesses a model that the local server loads and that answers real requests.

    Args:
      model: what to check.
      examples: re-identification records with a split `query`.
      blessing: as InfraValidator's, with the custom property `blessing_message` that says why.
    """
    with (
        readable(examples.uri) as records,
        readable(path_utils.serving_model_path(model.uri)) as served,
    ):
        images = _images(Records(records))
        trouble = _trouble_serving(served, images)
    with writable(blessing.uri) as folder:
        (folder / ("INFRA_NOT_BLESSED" if trouble else "INFRA_BLESSED")).touch()
    blessing.set_int_custom_property("blessed", int(not trouble))
    answered = f"the local server answered for {len(images)} images"
    blessing.set_string_custom_property(MESSAGE, trouble or answered)


def _images(folder: Records) -> list[bytes]:
    store = folder.store("query")
    records = store.read(np.arange(min(len(store), _IMAGES_TO_ASK)))
    return [schema.decode(folder.info.kind, record)["image/encoded"] for record in records]


def _trouble_serving(model: Path, images: Sequence[bytes]) -> str:
    """Returns what went wrong; empty if the model answered as it should."""
    with tempfile.TemporaryDirectory() as base:
        (Path(base) / "1").symlink_to(model, target_is_directory=True)
        try:
            with LocalServer(base) as server, ReidClient(f"127.0.0.1:{server.port}") as client:
                embeddings = client.embed(images)
        except (ServingError, DataError, UsageError) as error:
            return str(error)
    lengths = np.linalg.norm(embeddings, axis=1)
    if len(embeddings) != len(images) or not np.allclose(lengths, 1, atol=_UNIT_TOLERANCE):
        return (
            f"the server answered {len(embeddings)} descriptors of lengths {lengths.min():g} to "
            f"{lengths.max():g} for {len(images)} images; expected one of length 1 for each"
        )
    return ""
