"""Layers that more than one method uses, and the backbones that they start from."""

from tfreid.nn.backbone import Backbone
from tfreid.nn.backbones import BACKBONES, backbone_class
from tfreid.nn.inception import InceptionModule
from tfreid.nn.inception_v3 import InceptionV3
from tfreid.nn.maps import activation_map
from tfreid.nn.pretrained import load_pretrained
from tfreid.nn.stem import Stem
from tfreid.nn.units import (
    ConvUnit,
    FeatureUnit,
    Normalise,
    batch_normalisation,
    normalisation_settings,
    scaled,
)

__all__ = [
    "BACKBONES",
    "Backbone",
    "ConvUnit",
    "FeatureUnit",
    "InceptionModule",
    "InceptionV3",
    "Normalise",
    "Stem",
    "activation_map",
    "backbone_class",
    "batch_normalisation",
    "load_pretrained",
    "normalisation_settings",
    "scaled",
]
