"""Arrays in, arrays out: distances between descriptors, and how well they retrieve persons."""

from tfreid.retrieval.distances import cosine_blocks, cosine_distances, normalise
from tfreid.retrieval.ranking import (
    AVERAGE_PRECISIONS,
    RANKS,
    Identities,
    Retrieval,
    evaluate,
    ranked_list,
)

__all__ = [
    "AVERAGE_PRECISIONS",
    "RANKS",
    "Identities",
    "Retrieval",
    "cosine_blocks",
    "cosine_distances",
    "evaluate",
    "normalise",
    "ranked_list",
]
