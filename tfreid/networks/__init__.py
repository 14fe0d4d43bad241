"""Models of any format, ours or not, as networks: what turns images into descriptors."""

from tfreid.networks.callable_network import callable_network
from tfreid.networks.diagnosis import diagnose
from tfreid.networks.foreign import ForeignNetwork
from tfreid.networks.opening import is_ours, open_network
from tfreid.networks.presentation import PRESETS, Presentation

__all__ = [
    "PRESETS",
    "ForeignNetwork",
    "Presentation",
    "callable_network",
    "diagnose",
    "is_ours",
    "open_network",
]
