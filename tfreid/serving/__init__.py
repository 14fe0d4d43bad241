"""Between a trained model and someone else's request."""

from tfreid.serving.client import RefusedImagesError, ReidClient
from tfreid.serving.export import export, write_saved_model
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
