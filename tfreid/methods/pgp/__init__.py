"""PGP, person-region guided pooling.

Source: Tian et al., "Eliminating Background-bias for Robust Person Re-identification", CVPR 2018.
"""

from tfreid.methods.pgp.model import PGP
from tfreid.methods.pgp.recipe import METHOD

__all__ = ["METHOD", "PGP"]
