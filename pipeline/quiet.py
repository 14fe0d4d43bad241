"""Shows which component runs, and keeps TFX's other chatter away."""

import logging
import re
import time
import warnings

from absl import logging as absl_logging

from tfreid.progress import duration

_NOISE = (
    "ArtifactQuery.",  # ML Metadata on SQLite lacks a feature that TFX can do without.
    "execution_info.tmp_dir ",  # Object stores have no empty folders, which TFX wants to remove.
    "stateful_working_dir ",
)
_STEP = re.compile(r"Component (\S+) is (running|finished)\.")


def install() -> None:
    """Prints a line when a component begins and ends; call it before TFX is imported."""
    warnings.filterwarnings("ignore")
    absl_logging.set_verbosity(absl_logging.INFO)
    absl_logging.get_absl_logger().addFilter(_Steps())


class _Steps(logging.Filter):
    """Turns TFX's records on components into plain lines; of the rest, warnings pass."""

    def __init__(self):
        super().__init__()
        self._started: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the record is shown."""
        message = record.getMessage()
        step = _STEP.fullmatch(message)
        if step and step[2] == "running":
            self._started[step[1]] = time.monotonic()
        elif step:
            seconds = time.monotonic() - self._started[step[1]]
            print(f"{step[1]}: done in {duration(seconds)}", flush=True)
        return record.levelno >= logging.WARNING and not message.startswith(_NOISE)
