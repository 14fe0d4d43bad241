"""How models are measured: descriptors, rankings, attention, and the audit of their background."""

from tfreid.evaluation.audit import audit, available_variants, images_to_see, variants_of
from tfreid.evaluation.averaging import Average, average_runs
from tfreid.evaluation.describer import DescribedNetwork, Describer
from tfreid.evaluation.descriptors import Descriptors
from tfreid.evaluation.measurement import LIST_LENGTH, Measurement
from tfreid.evaluation.position_store import PositionStore, open_stores
from tfreid.evaluation.ranker import require_memory
from tfreid.evaluation.result import (
    AuditResult,
    data_source,
    evaluation_metrics,
    figure_rows,
)
from tfreid.evaluation.segmentation import score_parser
from tfreid.evaluation.sets import EvaluationSet, evaluation_sets
from tfreid.nn.network import Network

__all__ = [
    "LIST_LENGTH",
    "AuditResult",
    "Average",
    "DescribedNetwork",
    "Describer",
    "Descriptors",
    "EvaluationSet",
    "Measurement",
    "Network",
    "PositionStore",
    "audit",
    "available_variants",
    "average_runs",
    "data_source",
    "evaluation_metrics",
    "evaluation_sets",
    "figure_rows",
    "images_to_see",
    "open_stores",
    "require_memory",
    "score_parser",
    "variants_of",
]
