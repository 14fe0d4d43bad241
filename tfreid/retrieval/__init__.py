"""Arrays in, arrays out: distances between descriptors, and how well they retrieve persons."""

from tfreid.retrieval.camera_pairs import evaluate_camera_pairs
from tfreid.retrieval.distances import cosine_blocks, cosine_distances, normalise
from tfreid.retrieval.ranking import (
    AVERAGE_PRECISIONS,
    RANKS,
    Identities,
    Retrieval,
    evaluate,
    ranked_list,
)
from tfreid.retrieval.verification import Threshold, calibrate

__all__ = [
    "AVERAGE_PRECISIONS",
    "RANKS",
    "Identities",
    "Retrieval",
    "Threshold",
    "calibrate",
    "cosine_blocks",
    "cosine_distances",
    "evaluate",
    "evaluate_camera_pairs",
    "normalise",
    "ranked_list",
]
