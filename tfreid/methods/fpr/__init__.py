"""FPR, foreground-aware pyramid reconstruction.

Source: He et al., "Foreground-aware Pyramid Reconstruction for Alignment-free Occluded Person
Re-identification", ICCV 2019.
"""

from tfreid.methods.fpr.model import FPR
from tfreid.methods.fpr.recipe import METHOD

__all__ = ["FPR", "METHOD"]
