"""Serve the newest version of an exported model: a local stand-in for TensorFlow Serving.

It speaks the same gRPC protocol (Predict, GetModelMetadata, GetModelStatus, health) and changes
over to new versions without dropping requests. It is meant for laptops and tests; in production use
TensorFlow Serving. SIGTERM and Ctrl-C stop it after the requests that it has accepted are answered.
"""

import logging
import signal
import sys
import threading
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid.serving.decoding import MAX_IMAGE_MPX
from tfreid.serving.server import LocalServer

_MODEL_BASE = flags.DEFINE_string(
    "model_base",
    None,
    "Folder of numeric version folders, as training writes, or one SavedModel.",
    required=True,
)
_NAME = flags.DEFINE_string("name", "reid", "Name of the model in requests.")
_HOST = flags.DEFINE_string(
    "host", "127.0.0.1", "Address to listen on; there is no password, so keep it to yourself."
)
_PORT = flags.DEFINE_integer("port", 8500, "Port of the gRPC protocol; 0 finds one.", 0, 65535)
_MAX_QUEUED = flags.DEFINE_integer(
    "max_queued_images", 1024, "Images that may wait, and that one request may hold.", 1
)
_MAX_MESSAGE = flags.DEFINE_integer("max_message_mib", 64, "Largest request.", 1, 2047)
_MAX_IMAGE = flags.DEFINE_float(
    "max_image_mpx", MAX_IMAGE_MPX, "Megapixels of the largest image; models have this limit, too."
)
_POLL = flags.DEFINE_float("poll_seconds", 1.0, "Time between looks for new versions.", 0.01)
_GRACE = flags.DEFINE_float(
    "grace_seconds", 30.0, "Time for the accepted requests when stopping.", 0.0
)


def main() -> None:
    """Serves until a signal comes."""
    stopping = _stop_signal()
    _show_log()
    server = LocalServer(
        Path(_MODEL_BASE.value),
        name=_NAME.value,
        host=_HOST.value,
        port=_PORT.value,
        max_queued_images=_MAX_QUEUED.value,
        max_message_mib=_MAX_MESSAGE.value,
        max_image_mpx=_MAX_IMAGE.value,
        poll_seconds=_POLL.value,
    )
    print("a local stand-in; in production use TensorFlow Serving", flush=True)
    server.start()
    try:
        place = f"{_MODEL_BASE.value} on {server.address} (gRPC)"
        if server.version is None:
            print(f"no model yet, waiting for a numeric folder with one in {place}")
        else:
            print(f"model {_NAME.value!r}, version {server.version}, from {place}")
        print("SIGTERM or Ctrl-C stops", flush=True)
        stopping.wait()
        print("stopping after the accepted requests; once more stops at once", flush=True)
    finally:
        server.stop(_GRACE.value)
    print("stopped")


def _stop_signal() -> threading.Event:
    """Returns what the first SIGTERM or Ctrl-C sets; a second one acts at once."""
    stopping = threading.Event()
    previous = {}

    def note(number, frame):
        stopping.set()
        for each, handler in previous.items():
            signal.signal(each, handler)

    for number in (signal.SIGTERM, signal.SIGINT):
        previous[number] = signal.signal(number, note)
    return stopping


def _show_log() -> None:
    """Prints which versions load and fail."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("tfreid")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


if __name__ == "__main__":
    command.run(main)
