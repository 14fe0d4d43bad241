"""Matching by reconstruction (FPR, section 3.2): what of a query a gallery image explains.

On many workers it is in `tfreid.retrieval.reconstruction.beam`, which imports Apache Beam.
"""

from tfreid.retrieval.reconstruction.blocks import estimate, reconstruction_blocks
from tfreid.retrieval.reconstruction.equations import (
    reconstruction_distance,
    reconstruction_errors,
)
from tfreid.retrieval.reconstruction.job import Estimate
from tfreid.retrieval.reconstruction.matching import MODES, ReconstructionMatching
from tfreid.retrieval.reconstruction.positions import PositionFeatures, position_writer
from tfreid.retrieval.reconstruction.reranking import ReconstructionDistances

__all__ = [
    "MODES",
    "Estimate",
    "PositionFeatures",
    "ReconstructionDistances",
    "ReconstructionMatching",
    "estimate",
    "position_writer",
    "reconstruction_blocks",
    "reconstruction_distance",
    "reconstruction_errors",
]
