"""FA-Net, the foreground-aware network.

Source: Liu et al., "An End-to-End Foreground-Aware Network for Person Re-Identification", IEEE
Transactions on Image Processing, 2021.
"""

from tfreid.methods.fanet.model import FANet
from tfreid.methods.fanet.recipe import METHOD

__all__ = ["METHOD", "FANet"]
