"""The stage runner: trains any method under any number of devices, and continues exactly."""

from tfreid.training.building import PRECISIONS
from tfreid.training.history import LossCurve, read_losses
from tfreid.training.interruption import StoppedBySignal
from tfreid.training.loading import load_run, read_run
from tfreid.training.parsers import RunParser, load_parser
from tfreid.training.run_folder import RunFolder, versions
from tfreid.training.runner import fit, train
from tfreid.training.strategy import is_chief, make_strategy
from tfreid.training.watch import Evaluate, WatchOptions

__all__ = [
    "PRECISIONS",
    "Evaluate",
    "LossCurve",
    "RunFolder",
    "RunParser",
    "StoppedBySignal",
    "WatchOptions",
    "fit",
    "is_chief",
    "load_parser",
    "load_run",
    "make_strategy",
    "read_losses",
    "read_run",
    "train",
    "versions",
]
