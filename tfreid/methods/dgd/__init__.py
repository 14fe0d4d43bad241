"""DGD, the network of the background study that PGP compares with.

Source: Xiao et al., "Learning Deep Feature Representations with Domain Guided Dropout for Person
Re-identification", CVPR 2016.
"""

from tfreid.methods.dgd.recipe import METHOD

__all__ = ["METHOD"]
