"""Keeps the start-up chatter of TensorFlow, gRPC, Beam and Google's clients away from users.

Commands and the client call `install` before any of them is imported. What the user set in the
environment wins.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

# What TensorFlow's libraries write while they are loaded: from TensorFlow 2.18 on no variable of
# the environment stops these lines.
_CHATTER = re.compile(
    rb"absl::InitializeLog|oneDNN custom operations|cuda drivers|Unable to register cu\w+ factory"
    rb"|computation placer already registered|CPU instructions|rebuild TensorFlow|TF-TRT Warning"
    rb"|Created TensorFlow Lite"
)


def install() -> None:
    """Silences what is known to be harmless; `TF_CPP_MIN_LOG_LEVEL=0` shows TensorFlow's part."""
    # TensorFlow 2.21 calls it an error that a machine without GPU has no driver.
    default = "2" if os.path.exists("/dev/nvidiactl") else "3"
    shown = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", default) == "0"
    installed = any(isinstance(finder, _TensorFlowFinder) for finder in sys.meta_path)
    if not (shown or installed or "tensorflow" in sys.modules):
        sys.meta_path.insert(0, _TensorFlowFinder())
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # What fails is raised, and said once.
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
        warnings.filterwarnings("ignore", "Unexpected end-group tag")  # of protobuf, on garbage
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
    logging.getLogger().addFilter(_is_worth_reading)
    beam = logging.getLogger("apache_beam")
    beam.setLevel(beam.level or logging.ERROR)


def _is_worth_reading(record: logging.LogRecord) -> bool:
    """Drops what Beam logs on import where Google Cloud's storage client is not installed."""
    return not record.getMessage().startswith("apitools not found")


class _TensorFlowFinder(importlib.abc.MetaPathFinder):
    """Loads TensorFlow as usual, but without its chatter."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Finds `tensorflow` once, with a loader that filters standard error."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_quietly(module: ModuleType) -> None:
            with filtered_stderr():
                load(module)

        spec.loader.exec_module = load_quietly
        return spec


@contextmanager
def filtered_stderr() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, then passes on all but the chatter."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _CHATTER.search(line)))
