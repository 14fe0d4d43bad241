"""An object store in memory: what TensorFlow's `ram://` has, less what object stores lack."""

import tensorflow as tf
from tfx.dsl.io.plugins.tensorflow_gfile import TensorflowFilesystem


class ObjectStore(TensorflowFilesystem):
    """Folders cannot be renamed, files not be added to; files that appear are listed in order.

    Attributes:
      written: the addresses of files, in the order in which they appeared.
    """

    SUPPORTED_SCHEMES = ("ram://",)
    written: list[str] = []  # noqa: RUF012

    @staticmethod
    def open(name, mode="r"):
        if "a" in mode or "+" in mode:
            raise tf.errors.UnimplementedError(None, None, f"{name}: objects are written once")
        if "w" in mode:
            ObjectStore.written.append(name)
        return TensorflowFilesystem.open(name, mode)

    @staticmethod
    def rename(src, dst, overwrite=False):
        raise tf.errors.UnimplementedError(None, None, f"{src}: there is no rename")

    @staticmethod
    def copy(src, dst, overwrite=False):
        if dst.startswith("ram://"):
            ObjectStore.written.append(dst)
        TensorflowFilesystem.copy(src, dst, overwrite)

    @staticmethod
    def walk(top, topdown=True, onerror=None):
        for folder, folders, names in TensorflowFilesystem.walk(top, topdown, onerror):
            # TensorFlow's lists `a.b` in the folder `a` as a file `.b`.
            yield folder, folders, [n for n in names if tf.io.gfile.exists(f"{folder}/{n}")]


def files(uri: str) -> list[str]:
    """Returns the files under an address, relative to it and sorted."""
    return sorted(
        f"{folder}/{name}".removeprefix(f"{uri}/")
        for folder, _, names in ObjectStore.walk(uri)
        for name in names
    )
