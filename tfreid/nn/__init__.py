"""Layers that more than one method uses."""

from tfreid.nn.inception import InceptionModule
from tfreid.nn.inception_v3 import InceptionV3
from tfreid.nn.maps import activation_map
from tfreid.nn.pretrained import load_pretrained
from tfreid.nn.resnet import ResNet
from tfreid.nn.stem import Stem
from tfreid.nn.units import ConvUnit, FeatureUnit, Normalise, batch_normalisation, scaled

__all__ = [
    "ConvUnit",
    "FeatureUnit",
    "InceptionModule",
    "InceptionV3",
    "Normalise",
    "ResNet",
    "Stem",
    "activation_map",
    "batch_normalisation",
    "load_pretrained",
    "scaled",
]
