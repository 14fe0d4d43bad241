"""The stage runner: trains any method under any number of devices, and continues exactly."""

from tfreid.training.arithmetic import PRECISIONS, Arithmetic
from tfreid.training.description import versions
from tfreid.training.fitting import fit
from tfreid.training.history import LossCurve, read_losses
from tfreid.training.interruption import StoppedBySignal
from tfreid.training.run import Run
from tfreid.training.runner import train
from tfreid.training.several import open_data, open_runs, read_weights, short_names
from tfreid.training.strategy import is_chief, make_strategy
from tfreid.training.watch import Evaluate, WatchOptions

__all__ = [
    "PRECISIONS",
    "Arithmetic",
    "Evaluate",
    "LossCurve",
    "Run",
    "StoppedBySignal",
    "WatchOptions",
    "fit",
    "is_chief",
    "make_strategy",
    "open_data",
    "open_runs",
    "read_losses",
    "read_weights",
    "short_names",
    "train",
    "versions",
]
