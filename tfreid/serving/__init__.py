"""Between a trained model and someone else's request."""

from tfreid import quiet

quiet.install()  # A client is often all that a program needs; what it imports is talkative.

# isort: split
from tfreid.serving.client import ReidClient
from tfreid.serving.export import export, write_saved_model
from tfreid.serving.refused import RefusedImagesError
from tfreid.serving.release import export_run, export_runs
from tfreid.serving.saved_model import ServedModel

__all__ = [
    "RefusedImagesError",
    "ReidClient",
    "ServedModel",
    "export",
    "export_run",
    "export_runs",
    "write_saved_model",
]
