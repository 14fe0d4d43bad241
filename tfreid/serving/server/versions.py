"""Which version of a model serves: watches the folder of versions and changes over."""

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from tfreid.errors import MissingPathError, UsageError
from tfreid.serving.server.refusal import Refusal, shortened
from tfreid.serving.server.servable import Servable
from tfreid.serving.version_folders import MAX_VERSION, version_of

State = ModelVersionStatus.State
_LOG = logging.getLogger(__name__)
_LONGEST_REASON = 500
_ALONE = 1  # number of a version by itself whose folder is named otherwise
_Fingerprint = frozenset[tuple[str, int, int]]


class Versions:
    """Serves the highest version that loads.

    A version is a numeric folder that holds `saved_model.pb`, the file that is copied last. A
    higher one is loaded and warmed up beside the one that serves, then takes over; requests that
    the old one has accepted are computed by it. A version that does not load is left until one of
    its files changes. If the folder of the version that serves is gone, the highest of the others
    takes over; while there is none, it goes on serving. What stands in the way is logged once.

    Args:
      base: folder of the versions, or of one version, beside which no other is looked for; that
        is number 1 unless the folder is named after a number.
      on_serving: called when a version has taken over.

    Raises:
      MissingPathError: if there is no such folder.
      UsageError: if it is another folder: of a run, or with numbers that no version can have.
    """

    def __init__(self, base: Path, on_serving: Callable[[], None]):
        if not base.is_dir():
            raise MissingPathError(f"{base} is no folder: expected the folder of model versions")
        self._base = base
        self._is_version = (base / "saved_model.pb").exists()
        _check_folders(base, self._folders())
        self._on_serving = on_serving
        self._current: Servable | None = None
        self._states: dict[int, ModelVersionStatus] = {}
        self._failed: dict[Path, _Fingerprint] = {}
        self._reported: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def current(self) -> Servable | None:
        """The version that serves, if any."""
        return self._current

    def find(self, version: int | None = None) -> Servable:
        """Returns the version that serves.

        Args:
          version: number that it must have, if given.

        Raises:
          Refusal: UNAVAILABLE if none serves yet, NOT_FOUND if it is another one.
        """
        servable = self._current
        if servable is None:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "no version of the model is loaded yet")
        if version not in (None, servable.version):
            raise Refusal(
                grpc.StatusCode.NOT_FOUND,
                f"version {version} of the model is not served; version {servable.version} is",
            )
        return servable

    def states(self) -> list[ModelVersionStatus]:
        """Returns what became of each version seen, highest first.

        As in TensorFlow Serving, one that did not load is at its END, with an error.
        """
        return [state for _, state in sorted(self._states.items(), reverse=True)]

    def watch(self, poll_seconds: float) -> None:
        """Starts a thread that calls `check` again and again until `stop`."""
        self._thread = threading.Thread(
            target=self._watch, args=[poll_seconds], name="versions", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after the version that it may be loading."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def check(self) -> None:
        """Looks at the folder once and changes over if there is reason to; raises nothing."""
        try:
            self._look()
        except Exception as error:  # a folder that a network file system hides for a while
            self._report(f"cannot look for versions in {self._base}: {_reason(error)}")

    def _look(self) -> None:
        for number, path in self._ready():
            if self._current and self._current.version == number:
                return
            try:
                if self._takes_over(number, path):
                    return
            except Exception as error:  # no version may keep another from being found
                self._report(f"cannot look into {path}: {_reason(error)}")

    def _takes_over(self, number: int, path: Path) -> bool:
        """Loads a version unless that has failed already."""
        fingerprint = _fingerprint(path)
        if self._failed.get(path) == fingerprint:
            return False
        if self._load(number, path):
            self._failed.pop(path, None)
            return True
        self._failed[path] = fingerprint
        return False

    def _watch(self, poll_seconds: float) -> None:
        while not self._stopping.wait(poll_seconds):
            self.check()

    def _ready(self) -> list[tuple[int, Path]]:
        """Returns the complete versions, highest first."""
        versions = []
        for path in self._folders():
            number = version_of(path)
            if number is None and self._is_version:
                number = _ALONE
            try:
                is_complete = number is not None and (path / "saved_model.pb").is_file()
            except OSError as error:
                self._report(f"cannot look into {path}: {_reason(error)}")
                continue
            if is_complete and number > MAX_VERSION:
                self._report(f"{path} is left out: the highest version is {MAX_VERSION}; rename it")
            elif is_complete:
                versions.append((number, path))
        return sorted(versions, reverse=True)

    def _folders(self) -> list[Path]:
        return [self._base] if self._is_version else list(self._base.iterdir())

    def _report(self, text: str) -> None:
        if text not in self._reported:
            self._reported.add(text)
            _LOG.warning("%s", text)

    def _load(self, number: int, path: Path) -> bool:
        _LOG.info("loading version %d", number)
        self._set_state(number, State.LOADING)
        started = time.monotonic()
        try:
            servable = Servable(path, number)
        except Exception as error:  # whatever the files of others make TensorFlow raise
            reason = _reason(error)
            self._set_state(number, State.END, reason)
            _LOG.error("version %d does not load: %s", number, reason)
            return False
        retired, self._current = self._current, servable
        self._set_state(number, State.AVAILABLE)
        _LOG.info("serving version %d, loaded in %.1f s", number, time.monotonic() - started)
        if retired:
            self._set_state(retired.version, State.UNLOADING)
            weakref.finalize(retired, self._end, retired.version).atexit = False
        self._on_serving()
        return True

    def _end(self, number: int) -> None:
        """Notes that the last request of a version is answered; it may serve anew by then."""
        if self._states[number].state == State.UNLOADING:
            self._set_state(number, State.END)

    def _set_state(self, number: int, state: int, error: str = "") -> None:
        status = ModelVersionStatus(version=number, state=state)
        if error:
            status.status.error_code = grpc.StatusCode.UNKNOWN.value[0]
            status.status.error_message = error
        self._states[number] = status


def _check_folders(base: Path, folders: Sequence[Path]) -> None:
    """Raises a UsageError if a base is one by mistake; it may be empty, and filled later."""
    numbers = [number for number in map(version_of, folders) if number is not None]
    if numbers and min(numbers) > MAX_VERSION:
        raise UsageError(
            f"{base} holds no version but {min(numbers)}, and the highest is {MAX_VERSION}: "
            "rename it"
        )
    if not numbers and folders != [base] and (base / "export").is_dir():
        raise UsageError(f"{base} holds no versions of a model: did you mean {base / 'export'}?")


def _fingerprint(path: Path) -> _Fingerprint:
    """Names, sizes and times of the files, to see whether any changed."""
    stats = ((str(file), _stat(file)) for file in path.rglob("*"))
    return frozenset((file, stat.st_size, stat.st_mtime_ns) for file, stat in stats if stat)


def _stat(file: Path) -> os.stat_result | None:
    """Looks at a file; at the link itself where it leads nowhere."""
    for look in (file.stat, file.lstat):
        with contextlib.suppress(OSError):  # the file may be gone meanwhile
            return look()
    return None


def _reason(error: Exception) -> str:
    """Returns an error's text in one line."""
    return shortened(" ".join(str(error).split()) or type(error).__name__, _LONGEST_REASON)
