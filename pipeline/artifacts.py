"""Where TFX's artifacts lie, as paths."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfx import types
from tfx.types import artifact_utils

_MOUNTED = {"gs://": "/gcs/"}
"""Where Vertex mounts Cloud Storage in every container."""


def local_path(uri: str) -> Path:
    """Returns the path of an artifact's URI.

    Raises:
      ValueError: if the URI is on a file system that is not mounted.
    """
    for scheme, mounted in _MOUNTED.items():
        if uri.startswith(scheme):
            return Path(mounted + uri.removeprefix(scheme))
    if "://" in uri:
        raise ValueError(f"{uri}: artifacts must lie on a mounted file system or in gs://")
    return Path(uri)


def single_path(artifacts: Mapping[str, Sequence[types.Artifact]], key: str) -> Path:
    """Returns the path of the only artifact of an input or output."""
    return local_path(artifact_utils.get_single_uri(list(artifacts[key])))
