"""SPReID, human semantic parsing for person re-identification.

Source: Kalayeh et al., "Human Semantic Parsing for Person Re-identification", CVPR 2018.
"""

from tfreid.methods.spreid.model import SPReID
from tfreid.methods.spreid.recipe import METHOD

__all__ = ["METHOD", "SPReID"]
