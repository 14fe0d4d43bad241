"""What components read and write, wherever it lies: on a disk, a mounted bucket or an object store.

Object stores have no renames of folders, hard links, locks or appends, and show a folder while it
is being filled. So everything is done on a local disk and copied whole, file by file, the files
that tell that a folder is complete last.
"""

import contextlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf
from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.files import cache_folder, private_folder

_SCHEME, _MOUNT = "gs://", Path("/gcs")
"""Where Vertex mounts Cloud Storage in every container."""

_LAST = ("dataset.json", "saved_model.pb", "decision.json")
"""What readers look for first: records, models and evaluations are whole with it."""


@contextlib.contextmanager
def readable(uri: str) -> Iterator[Path]:
    """Gives the path of a file or folder; of an object store, that of a local copy.

    Args:
      uri: a path, or an address that TFX's `fileio` knows.

    Yields:
      The path. A copy is gone afterwards.

    Raises:
      MissingPathError: if an object store has no such thing.
      DataError: if it does not answer.
    """
    place = _place(uri)
    if not is_address(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(place).name
        with _answering(uri):
            if not fileio.exists(place):
                raise MissingPathError(f"there is nothing at {uri}")
            _copy(place, str(copy))
        yield copy


@contextlib.contextmanager
def writable(uri: str) -> Iterator[Path]:
    """Gives the path of a folder to fill; of an object store, that of a local one, copied after.

    Args:
      uri: a path, or an address that TFX's `fileio` knows.

    Yields:
      The path. On an exception nothing in a local folder reaches the store; what was put beside
      it, to tell why, does.

    Raises:
      DataError: if the store does not answer.
    """
    if not is_address(uri):
        yield Path(uri)
        return
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / Path(uri).name
        local.mkdir()
        try:
            yield local
        except DataError as error:
            for beside in Path(folder).glob(f"{local.name}.*"):
                _copy(str(beside), f"{os.path.dirname(uri)}/{beside.name}")
            raise DataError(str(error).replace(str(local), uri)) from error
        with _answering(uri):
            _copy(str(local), _place(uri))


def move(folder: Path, uri: str) -> None:
    """Moves what a folder holds, and removes it when everything is there.

    Args:
      folder: on a disk of this machine.
      uri: a folder, or an address that TFX's `fileio` knows.

    Raises:
      DataError: if the store does not answer.
    """
    if is_address(uri):
        with _answering(uri):
            _copy(str(folder), _place(uri))
        shutil.rmtree(folder)
        return
    for path in folder.iterdir():
        shutil.move(path, uri)
    folder.rmdir()


def working_folder(uri: str) -> Path:
    """Returns where to work on what is to outlive this process: there, or on a local disk."""
    if not is_address(uri):
        return Path(uri)
    folder = cache_folder() / "runs"
    private_folder(folder)
    return folder


def single_uri(artifacts: Mapping[str, Sequence[types.Artifact]], key: str) -> str:
    """Returns the URI of the only artifact of an input or output."""
    return artifact_utils.get_single_uri(list(artifacts[key]))


def is_address(uri: str) -> bool:
    """Returns whether something lies elsewhere than on the disks of this machine."""
    return "://" in uri


def require_store(uri: str) -> None:
    """Finds out whether an object store can be asked; a disk always can.

    Raises:
      UsageError: if TensorFlow does not know its kind, or it does not answer.
    """
    if not is_address(uri):
        return
    try:
        with _answering(uri):
            fileio.exists(_place(uri))
    except DataError as error:
        raise UsageError(
            f"{error}. TensorFlow knows gs:// and, where tensorflow-io is installed, s3:// (other "
            "servers than Amazon's, such as MinIO, by S3_ENDPOINT); a mounted bucket is a folder"
        ) from error


def _place(uri: str) -> str:
    """The URI, or the path under which its bucket is mounted."""
    if not uri.startswith(_SCHEME):
        return uri
    bucket, _, path = uri.removeprefix(_SCHEME).partition("/")
    return str(_MOUNT / bucket / path) if (_MOUNT / bucket).is_dir() else uri


def _copy(source: str, target: str) -> None:
    """Copies a file, or the files of a folder; those of `_LAST` when all others are there."""
    if not fileio.isdir(source):
        fileio.makedirs(os.path.dirname(target))
        fileio.copy(source, target, overwrite=True)
        return
    files = []
    for folder, _, names in fileio.walk(source):
        copy = os.path.join(target, os.path.relpath(folder, source)) if folder != source else target
        fileio.makedirs(copy)
        files += [(os.path.join(folder, name), os.path.join(copy, name)) for name in names]
    for file, copy in sorted(files, key=lambda pair: os.path.basename(pair[0]) in _LAST):
        fileio.copy(file, copy, overwrite=True)


@contextlib.contextmanager
def _answering(uri: str) -> Iterator[None]:
    with contextlib.suppress(ImportError):
        importlib.import_module("tensorflow_io")  # Brings s3:// where it is installed.
    try:
        yield
    except tf.errors.OpError as error:
        reason = (error.message or type(error).__name__).splitlines()[0]
        raise DataError(f"{uri} cannot be used: {reason}") from error
