"""Layers that more than one method uses."""

from tfreid.nn.inception import InceptionModule
from tfreid.nn.maps import activation_map
from tfreid.nn.stem import Stem
from tfreid.nn.units import ConvUnit, FeatureUnit, Normalise, batch_normalisation, scaled

__all__ = [
    "ConvUnit",
    "FeatureUnit",
    "InceptionModule",
    "Normalise",
    "Stem",
    "activation_map",
    "batch_normalisation",
    "scaled",
]
