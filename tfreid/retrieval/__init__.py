"""Arrays in, arrays out: distances between descriptors, and how well they retrieve persons."""

from tfreid.retrieval.distances import cosine_blocks, cosine_distances, normalise
from tfreid.retrieval.identities import Identities
from tfreid.retrieval.intervals import Interval, PersonBootstrap, over_repeats
from tfreid.retrieval.lists import NO_IMAGE, RankedLists
from tfreid.retrieval.open_set import FPIR, Line, OpenSetSearches, search_open_set
from tfreid.retrieval.outcomes import RANKS, Retrieval
from tfreid.retrieval.ranking import Ranking, evaluate
from tfreid.retrieval.reconstruction import (
    PositionFeatures,
    ReconstructionDistances,
    ReconstructionMatching,
    position_writer,
    reconstruction_blocks,
    reconstruction_distance,
    reconstruction_errors,
)
from tfreid.retrieval.reranking import CosineDistances, Distances, Reranking, rerank
from tfreid.retrieval.saving import save_rankings
from tfreid.retrieval.verification import Threshold, calibrate
from tfreid.retrieval.whole_gallery import AVERAGE_PRECISIONS

__all__ = [
    "AVERAGE_PRECISIONS",
    "FPIR",
    "NO_IMAGE",
    "RANKS",
    "CosineDistances",
    "Distances",
    "Identities",
    "Interval",
    "Line",
    "OpenSetSearches",
    "PersonBootstrap",
    "PositionFeatures",
    "RankedLists",
    "Ranking",
    "ReconstructionDistances",
    "ReconstructionMatching",
    "Reranking",
    "Retrieval",
    "Threshold",
    "calibrate",
    "cosine_blocks",
    "cosine_distances",
    "evaluate",
    "normalise",
    "over_repeats",
    "position_writer",
    "reconstruction_blocks",
    "reconstruction_distance",
    "reconstruction_errors",
    "rerank",
    "save_rankings",
    "search_open_set",
]
